import { isLost, type Attempt, type Job } from "../../jobs/types.js";
import { firstLine } from "../../parts/ErrorLine.js";
import { Json } from "../../parts/Json.js";
import { Card } from "../../parts/Page.js";
import { duration } from "../../time/format.js";
import { Time } from "../../time/Time.js";
import { Exchange } from "./Exchange.js";
import { exchangeOf } from "./exchange.js";
import styles from "./job.module.css";

/** Where the job goes, where that is not to the app's workers, and what each attempt met there; newest first. */
export function Exchanges({ job }: { job: Job }) {
  const { target, attempts } = job;
  if (target === null) return null;
  const calls = attempts.filter((attempt) => attempt.finishedAt !== null && !isLost(attempt));
  return (
    <Card title={target.type === "http" || target.type === "agent" ? "HTTP exchange" : "Target"}>
      <div className={styles.stack}>
        {calls.toReversed().map((attempt, at) => (
          <Call key={attempt.attempt} attempt={attempt} open={at === 0} />
        ))}
        <details className={styles.stackBox} open={calls.length === 0}>
          <summary>The target as it was given</summary>
          <Json value={target} what="the target" />
        </details>
      </div>
    </Card>
  );
}

function Call({ attempt, open }: { attempt: Attempt; open: boolean }) {
  const { attempt: number, startedAt, result, error } = attempt;
  const exchange = exchangeOf(result);
  return (
    <details open={open} className={styles.call}>
      <summary>
        <span className={styles.callName}>Attempt {number}</span>
        {exchange === undefined ? (
          <span className={styles.callLine}>{result === null ? "nothing came back" : "done"}</span>
        ) : (
          <>
            <code className={styles.callLine} dir="ltr">
              {exchange.request.method} {exchange.request.url}
            </code>
            <strong className={styles.code} data-bad={error !== null || undefined}>
              {exchange.status ?? "no answer"}
            </strong>
            {exchange.total !== null && <span className="num">{duration(exchange.total)}</span>}
          </>
        )}
        <span className="muted small">
          <Time at={startedAt} seconds />
        </span>
      </summary>
      {error !== null && (
        <p className={styles.callError} dir="auto">
          {firstLine(error)}
        </p>
      )}
      {exchange === undefined ? (
        result !== null && <Json value={result} what={`what attempt ${number} left`} />
      ) : (
        <Exchange exchange={exchange} attempt={number} />
      )}
    </details>
  );
}
