import type { Job } from "../../jobs/types.js";
import { Card } from "../../parts/Page.js";
import { Json } from "../../parts/Json.js";
import styles from "./job.module.css";

/** Where the job goes, where that is not to the app's workers, and what each attempt met there; newest first. */
export function Exchanges({ job }: { job: Job }) {
  const answered = job.attempts.filter(({ result }) => result !== null).toReversed();
  if (job.target === null && answered.length === 0) return null;
  return (
    <Card title="Target">
      <div className={styles.stack}>
        {job.target !== null && <Json value={job.target} what="the target" />}
        {answered.map(({ attempt, result }, at) => (
          <details key={attempt} open={at === 0} className={styles.stackBox}>
            <summary>Answer to attempt {attempt}</summary>
            <Json value={result} what={`the answer to attempt ${attempt}`} />
          </details>
        ))}
      </div>
    </Card>
  );
}
