import styles from "./states.module.css";

/** The first line of what a handler threw, as text whatever is in it. */
export function ErrorLine({ error }: { error: unknown }) {
  const line = firstLine(error);
  return line === "" ? null : (
    <code className={styles.errorLine} title={line} dir="auto">
      {line}
    </code>
  );
}

export function firstLine(error: unknown): string {
  const message =
    typeof error === "object" && error !== null && "message" in error ? error.message : error;
  return typeof message === "string" ? (message.split("\n")[0] ?? "") : "";
}
