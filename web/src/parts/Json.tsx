import styles from "./json.module.css";
import { Copy } from "./Copy.js";

/** A value as JSON, always as text, whatever is in it. */
export function Json({ value, what }: { value: unknown; what: string }) {
  const text = JSON.stringify(value, null, 2) ?? "null";
  return (
    <div className={styles.box}>
      <div className={styles.copy}>
        <Copy text={text} what={what} />
      </div>
      <pre className={styles.text} tabIndex={0} aria-label={what}>
        {text}
      </pre>
    </div>
  );
}
