import { count } from "../time/format.js";
import styles from "./charts.module.css";

/** What the top of a chart stands for, in its corner; what is around the chart places it. */
export function Most({ value }: { value: number }) {
  return (
    <span className={styles.most} aria-hidden="true">
      {count(value)}
    </span>
  );
}
