import { OUTCOMES, type Outcome } from "./outcomes.js";
import styles from "./outcomes.module.css";

/** The shape of an outcome, beside its word. */
export function OutcomeMark({ outcome, size = 12 }: { outcome: Outcome; size?: number }) {
  const { shape, tone } = OUTCOMES[outcome];
  const width = size * 0.6;
  return (
    <svg width={size} height={size} className={styles.mark} data-tone={tone} aria-hidden="true">
      <path d={shape((size - width) / 2, 0, width, size)} />
    </svg>
  );
}

/** Shape and word: "completed". */
export function OutcomeBadge({ outcome }: { outcome: Outcome }) {
  const { word, tone } = OUTCOMES[outcome];
  return (
    <span className={styles.badge} data-tone={tone}>
      <OutcomeMark outcome={outcome} />
      {word}
    </span>
  );
}
