import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { CronSummary } from "../../crons/types.js";
import { manifestEntry } from "../../crons/snippets.js";
import { Card, Facts } from "../../parts/Page.js";
import { Json } from "../../parts/Json.js";
import { Loadable } from "../../parts/States.js";
import { Table, Th } from "../../parts/Table.js";
import { duration } from "../../time/format.js";
import { Time } from "../../time/Time.js";
import styles from "./cron.module.css";
import { nextSlotsQuery } from "./queries.js";

/** Everything a cron is set to; what is as usual is grey. */
export function ConfigurationTab({ summary: { cron, sentence } }: { summary: CronSummary }) {
  const usual = (value: ReactNode, is: boolean) =>
    is ? <span className="muted">{value} (default)</span> : value;
  const seconds = (value: number | null) => (value === null ? "none" : duration(value * 1000));
  return (
    <div className={styles.split}>
      <div className={styles.stack}>
        <Card title="Settings">
          <Facts
            facts={[
              ["Schedule", <code key="s">{cron.schedule}</code>],
              ["Time zone", usual(cron.timezone, cron.timezone === "GMT")],
              ["In words", sentence],
              ["Overlap", usual(cron.overlapPolicy, cron.overlapPolicy === "skip")],
              ["Missed slots", usual(cron.catchUp, cron.catchUp === "latest")],
              ["Caught up within", usual(seconds(cron.catchUpWindow), cron.catchUpWindow === 3600)],
              ["Attempts", usual(cron.maxAttempts, cron.maxAttempts === 1)],
              ["Timeout", usual(seconds(cron.timeout), cron.timeout === null)],
              ["Priority", usual(cron.priority, cron.priority === 0)],
              ["Jitter", usual(seconds(cron.jitter || null), cron.jitter === 0)],
              [
                "Pauses after",
                cron.maxConsecutiveFailures === null
                  ? usual("never", true)
                  : `${cron.maxConsecutiveFailures} failures in a row`,
              ],
              [
                "Clock changes",
                usual(
                  `gap: ${cron.dst.gap}, fold: ${cron.dst.fold}`,
                  cron.dst.gap === "shift" && cron.dst.fold === "first",
                ),
              ],
              ["Tags", cron.tags.length === 0 ? usual("none", true) : cron.tags.join(", ")],
              ["Made by", cron.origin],
              ["Version", cron.version],
              ["Changed", <Time key="u" at={cron.updatedAt} zone={cron.timezone} />],
              ["Woken by", cron.pgJobId === null ? "the ticker" : `pg_cron's job ${cron.pgJobId}`],
            ]}
          />
        </Card>
        <Card title="Payload">
          <Json value={cron.payload} what="the payload" />
        </Card>
        <Card title="As it stands in a manifest">
          <Json value={manifestEntry(cron)} what="the manifest's entry" />
        </Card>
      </div>
      <NextSlots cron={cron} />
    </div>
  );
}

function NextSlots({ cron }: { cron: CronSummary["cron"] }) {
  const query = useQuery(nextSlotsQuery(cron, 10));
  return (
    <Card title="Next 10 slots" flush>
      <Loadable query={query}>
        {({ slots }) => (
          <Table
            caption="Next slots"
            head={
              <>
                <Th>In its zone</Th>
                <Th>UTC</Th>
                <Th>Clocks</Th>
              </>
            }
          >
            {slots.map(({ at, local, offset, note }) => (
              <tr key={at}>
                <td className="num">
                  {local.replace("T", " ")} <span className="muted small">{offset}</span>
                </td>
                <td className="num">{at.slice(0, 19).replace("T", " ")}</td>
                <td>{note ?? <span className="muted">—</span>}</td>
              </tr>
            ))}
          </Table>
        )}
      </Loadable>
    </Card>
  );
}
