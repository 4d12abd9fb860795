import type { Job } from "../../jobs/types.js";
import { Card } from "../../parts/Page.js";
import { Json } from "../../parts/Json.js";
import styles from "./job.module.css";

/** What the targets of the attempts answered, where they went to one; newest first. */
export function Exchanges({ job }: { job: Job }) {
  const answered = job.attempts
    .map(({ attempt, ...rest }) => ({ attempt, answer: answerOf(rest) }))
    .filter(({ answer }) => answer !== null)
    .reverse();
  if (answered.length === 0) return null;
  return (
    <Card title="What the target answered">
      <div className={styles.stack}>
        {answered.map(({ attempt, answer }, at) => (
          <details key={attempt} open={at === 0} className={styles.stackBox}>
            <summary>Attempt {attempt}</summary>
            <Json value={answer} what={`the answer to attempt ${attempt}`} />
          </details>
        ))}
      </div>
    </Card>
  );
}

const answerOf = (attempt: object): unknown =>
  "result" in attempt && typeof attempt.result === "object" ? attempt.result : null;
