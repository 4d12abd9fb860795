import type { CronSummary } from "../../crons/types.js";
import { useLive } from "../../live/live.js";
import { Notice } from "../../parts/States.js";
import { count, counted } from "../../time/format.js";
import { Ago, Time } from "../../time/Time.js";
import { backfillsQuery } from "./queries.js";

/** The backfills that are under way, with how far each has come. */
export function Backfills({ cron }: { cron: CronSummary["cron"] }) {
  const { data = [] } = useLive(backfillsQuery(cron), 5000);
  return data
    .filter(({ finishedAt }) => finishedAt === null)
    .map(({ id, from, to, slots, enqueued, createdAt }) => (
      <Notice key={id}>
        <strong>Backfill of {counted(slots, "slot")}:</strong> {count(enqueued)} of them enqueued so
        far, <Time at={from} zone={cron.timezone} /> to <Time at={to} zone={cron.timezone} />. Begun{" "}
        <Ago at={createdAt} zone={cron.timezone} />.
        <progress max={slots} value={enqueued} aria-label="Slots enqueued" />
      </Notice>
    ));
}
