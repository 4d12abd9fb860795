import { Table, Th } from "../../parts/Table.js";
import { Card } from "../../parts/Page.js";
import { useNow } from "../../time/clock.js";
import { count, duration, type TimeStyle } from "../../time/format.js";
import { timeText } from "../../time/Time.js";
import type { Stats } from "./stats.js";
import styles from "./timing.module.css";

const PARTS = ["duration", "wait", "lag"] as const;

/** The charts in numbers, newest first; what has none is left out. */
export function StatsTable({ stats, style }: { stats: Stats; style: TimeStyle }) {
  const now = useNow(60_000);
  const some = stats.buckets.filter(
    ({ completed, failed, canceled }) => completed + failed + canceled > 0,
  );
  const show = stats.bucket === "1d" ? "day" : "full";
  return (
    <Card flush>
      <details className={styles.table}>
        <summary>Show as a table</summary>
        <Table
          caption="How its jobs ran, newest first"
          head={
            <>
              <Th width="11rem">From</Th>
              <Th right>Completed</Th>
              <Th right>Failed</Th>
              <Th right>Canceled</Th>
              <Th right>Ran p50</Th>
              <Th right>Ran p95</Th>
              <Th right>Waited p50</Th>
              <Th right>Waited p95</Th>
              <Th right>Lag p50</Th>
              <Th right>Lag p95</Th>
            </>
          }
        >
          {some.toReversed().map((bucket) => (
            <tr key={bucket.from}>
              <td className="num">
                {timeText(Date.parse(bucket.from), style, now, { show, seconds: false })}
              </td>
              <td data-right>{count(bucket.completed)}</td>
              <td data-right>{count(bucket.failed)}</td>
              <td data-right>{count(bucket.canceled)}</td>
              {PARTS.flatMap((part) =>
                (["p50", "p95"] as const).map((which) => (
                  <td key={`${part} ${which}`} data-right>
                    {bucket[part] === null ? "—" : duration(bucket[part][which] * 1000)}
                  </td>
                )),
              )}
            </tr>
          ))}
        </Table>
      </details>
    </Card>
  );
}
