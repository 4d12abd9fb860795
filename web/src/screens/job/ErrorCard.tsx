import { Copy } from "../../parts/Copy.js";
import { Card } from "../../parts/Page.js";
import styles from "./job.module.css";

interface Thrown {
  name: string;
  message: string;
  stack?: string;
  cause?: unknown;
}

/** An error as it is kept; what is none counts as its own message. */
function asThrown(error: unknown): Thrown {
  if (typeof error !== "object" || error === null || !("message" in error)) {
    const message = typeof error === "string" ? error : JSON.stringify(error);
    return { name: "Error", message };
  }
  const { name, message, stack, cause } = error as Record<string, unknown>;
  return {
    name: typeof name === "string" ? name : "Error",
    message: typeof message === "string" ? message : JSON.stringify(message),
    ...(typeof stack === "string" && { stack }),
    ...(cause != null && { cause }),
  };
}

/** Why it failed: what was thrown, its stack, and what caused it. Always as text. */
export function ErrorCard({ error, title = "Error" }: { error: unknown; title?: string }) {
  const text = typeof error === "string" ? error : JSON.stringify(error, null, 2);
  return (
    <Card title={title} aside={<Copy text={text} what="the error" />}>
      <Thrown error={error} depth={0} />
    </Card>
  );
}

const DEEPEST = 8;

function Thrown({ error, depth }: { error: unknown; depth: number }) {
  const { name, message, stack, cause } = asThrown(error);
  return (
    <div className={styles.thrown}>
      <p className={styles.errorName}>
        {depth > 0 && <span className="muted">Caused by </span>}
        {name}
      </p>
      <pre className={styles.message} dir="auto">
        {message}
      </pre>
      {stack !== undefined && (
        <details className={styles.stackBox}>
          <summary>Stack</summary>
          <pre tabIndex={0} aria-label={`Stack of ${name}`}>
            {stack}
          </pre>
        </details>
      )}
      {cause !== undefined && depth < DEEPEST && <Thrown error={cause} depth={depth + 1} />}
    </div>
  );
}
