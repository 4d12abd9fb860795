import { Card, Facts } from "../../parts/Page.js";
import { count, counted } from "../../time/format.js";
import { Ago } from "../../time/Time.js";
import type { Day } from "./queries.js";
import styles from "./overview.module.css";

/** Who works, what waits, and what drives: numbers that decide nothing, and calm. */
export function Present({ day: { queues, workers, pgCron } }: { day: Day }) {
  const waiting = queues.filter(({ due }) => due.count > 0);
  return (
    <Card title="Queues, workers and drivers">
      <div className={styles.present}>
        <Facts
          facts={[
            ["Waiting for a worker", count(queues.reduce((sum, { due }) => sum + due.count, 0))],
            ["Running", count(queues.reduce((sum, { running }) => sum + running, 0))],
            ["Workers at work", count(workers.length)],
            ...(pgCron === null
              ? []
              : [
                  [
                    "Driven by",
                    pgCron.driving === null ? "the ticker" : `pg_cron ${pgCron.driving}`,
                  ] as const,
                ]),
          ]}
        />
        {waiting.length > 0 && (
          <ul className={styles.queues}>
            {waiting.map(({ appId, due, oldestDueAt }) => (
              <li key={appId}>
                <strong>{appId}</strong> {counted(due.count, "job")}
                {due.capped && "+"} waiting
                {oldestDueAt && (
                  <span className="muted">
                    , the oldest due <Ago at={oldestDueAt} />
                  </span>
                )}
              </li>
            ))}
          </ul>
        )}
      </div>
    </Card>
  );
}
