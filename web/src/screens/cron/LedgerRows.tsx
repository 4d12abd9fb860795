import type { Cron } from "carillon/client";
import { ChevronRight, PencilLine } from "lucide-react";
import { useState } from "react";
import { JobLink } from "../../jobs/JobLink.js";
import { between, ranFor } from "../../jobs/JobTable.js";
import { OUTCOMES, slotOutcome } from "../../outcomes/outcomes.js";
import { OutcomeBadge } from "../../outcomes/OutcomeMark.js";
import { ErrorLine } from "../../parts/ErrorLine.js";
import { counted, dateKey } from "../../time/format.js";
import { Countdown, Duration, Time } from "../../time/Time.js";
import { useTimeStyle } from "../../time/times.js";
import { sentenceOf } from "../../audit/changes.js";
import styles from "./cron.module.css";
import type { LedgerEntry } from "./fold.js";
import type { LedgerRow } from "./queries.js";

const COLUMNS = 8;

interface LedgerRowsProps {
  cron: Cron;
  entries: readonly LedgerEntry[];
}

export function LedgerRows({ cron, entries }: LedgerRowsProps) {
  return entries.map((entry) => {
    switch (entry.kind) {
      case "slot":
        return <SlotRow key={entry.row.tick.scheduledFor} cron={cron} row={entry.row} />;
      case "fold":
        return <FoldedRows key={entry.rows[0]?.tick.scheduledFor} cron={cron} rows={entry.rows} />;
      case "change":
        return (
          <tr key={`change ${entry.change.id}`} className={styles.change}>
            <td colSpan={COLUMNS}>
              <PencilLine size={12} aria-hidden="true" />
              <span className="sr-only">Change: </span>
              <Time at={entry.change.at} zone={cron.timezone} /> · {sentenceOf(entry.change)}
              {entry.change.reason && <q dir="auto">{entry.change.reason}</q>}
            </td>
          </tr>
        );
    }
  });
}

function SlotRow({ cron, row: { tick, job } }: { cron: Cron; row: LedgerRow }) {
  const outcome = slotOutcome(tick.outcome, job?.status);
  const ran = job === undefined ? null : ranFor(job);
  return (
    <tr>
      <td>
        <SlotTime at={tick.scheduledFor} zone={cron.timezone} />
      </td>
      <td className={styles.reason}>
        <OutcomeBadge outcome={outcome} />
        {tick.outcome === "caught_up" && outcome !== "caught_up" && (
          <span className="muted"> caught up</span>
        )}
        {tick.reason && (
          <span className={styles.why} dir="auto">
            {tick.reason}
          </span>
        )}
        {job?.status === "failed" && <ErrorLine error={job.error} />}
      </td>
      <td data-right className={styles.less}>
        <Duration seconds={tick.outcome === "missed" ? null : tick.lag} />
      </td>
      <td className={`muted ${styles.less ?? ""}`}>{tick.driver}</td>
      <td data-right className={styles.job} data-nothing={tick.msgId === null || undefined}>
        {tick.msgId === null ? (
          <span className="muted">—</span>
        ) : (
          <JobLink appId={tick.appId} id={tick.msgId} />
        )}
      </td>
      <td data-right className={styles.less}>
        <Duration seconds={between(job?.enqueuedAt, job?.attempts[0]?.startedAt)} />
      </td>
      <td data-right className={styles.ran} data-nothing={ran === null || undefined}>
        <Duration seconds={ran} />
      </td>
      <td data-right className={styles.less}>
        {job === undefined || job.attempt === 0 ? "—" : job.attempt}
      </td>
    </tr>
  );
}

/** Time first, then its day: a column of times is read down. */
function SlotTime({ at, zone }: { at: string; zone: string }) {
  return (
    <>
      <strong>
        <Time at={at} zone={zone} show="clock" seconds />
      </strong>{" "}
      <span className="muted small">
        <Time at={at} zone={zone} show="day" />
      </span>
    </>
  );
}

function FoldedRows({ cron, rows }: { cron: Cron; rows: readonly LedgerRow[] }) {
  const [open, setOpen] = useState(false);
  const style = useTimeStyle(cron.timezone);
  const [newest, oldest] = [rows[0], rows.at(-1)];
  if (newest === undefined || oldest === undefined) return null;
  const { outcome, reason } = newest.tick;
  const badge = slotOutcome(outcome, undefined);
  const day = (at: string) => dateKey(Date.parse(at), style.zone);
  const sameDay = day(oldest.tick.scheduledFor) === day(newest.tick.scheduledFor);
  return (
    <>
      <tr>
        <td>
          <button
            type="button"
            className={styles.fold}
            aria-expanded={open}
            onClick={() => setOpen(!open)}
          >
            <ChevronRight size={14} aria-hidden="true" />
            {counted(rows.length, "slot")}
          </button>
        </td>
        <td colSpan={COLUMNS - 1} className={styles.reason}>
          <OutcomeBadge outcome={badge} />{" "}
          <Time at={oldest.tick.scheduledFor} zone={cron.timezone} />
          {" to "}
          <Time
            at={newest.tick.scheduledFor}
            zone={cron.timezone}
            show={sameDay ? "clock" : "full"}
          />
          {reason && (
            <span className={styles.why} dir="auto">
              {reason}
            </span>
          )}
          <span className="sr-only">, all {OUTCOMES[badge].word}</span>
        </td>
      </tr>
      {open && rows.map((row) => <SlotRow key={row.tick.scheduledFor} cron={cron} row={row} />)}
    </>
  );
}

interface AheadRowsProps {
  cron: Cron;
  slots: readonly { at: string; note: string | null }[];
}

/** The next slots above the line of now; what is not yet is hollow. */
export function AheadRows({ cron, slots }: AheadRowsProps) {
  const [first] = slots;
  if (first === undefined) return null;
  return (
    <>
      {slots.toReversed().map(({ at, note }) => (
        <tr key={at} className={styles.ahead}>
          <td>
            <SlotTime at={at} zone={cron.timezone} />
          </td>
          <td colSpan={COLUMNS - 1} className={styles.reason}>
            {at === first.at ? "next slot" : "due"}
            {note && <strong> · {note}</strong>}
          </td>
        </tr>
      ))}
      <tr className={styles.now}>
        <td colSpan={COLUMNS}>
          <span>
            now · next <Countdown at={first.at} />
          </span>
        </td>
      </tr>
    </>
  );
}
