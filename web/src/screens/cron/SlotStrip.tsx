import { useInfiniteQuery } from "@tanstack/react-query";
import { useState, type KeyboardEvent } from "react";
import { useWidth } from "../../charts/use-width.js";
import type { CronSummary } from "../../crons/types.js";
import { useLiveOptions } from "../../live/live.js";
import { slotOutcome, tally, OUTCOMES, worstFirst } from "../../outcomes/outcomes.js";
import { OutcomeMark } from "../../outcomes/OutcomeMark.js";
import { LARGE, Strip, type StripGeometry } from "../../outcomes/Strip.js";
import { Card } from "../../parts/Page.js";
import { duration } from "../../time/format.js";
import { timeText } from "../../time/Time.js";
import { useTimeStyle } from "../../time/times.js";
import { useNow } from "../../time/clock.js";
import styles from "./cron.module.css";
import { ledgerQuery, LEDGER_PAGE, type LedgerRow } from "./queries.js";

/** The last slots of a cron; walked by the arrow keys, each told as under the pointer. */
export function SlotStrip({ summary: { cron, can } }: { summary: CronSummary }) {
  const query = useInfiniteQuery({
    ...ledgerQuery(cron, [], can.includes("readJobs")),
    ...useLiveOptions(3000),
  });
  const [frame, width] = useWidth<HTMLDivElement>();
  const { length, geometry } = filling(width);
  const rows = (query.data?.pages[0]?.rows ?? []).slice(0, length).toReversed();
  const outcomes = rows.map(({ tick, job }) => slotOutcome(tick.outcome, job?.status));
  const describe = useDescription(cron.timezone, rows);
  const [at, setAt] = useState<number>();
  const walk = (event: KeyboardEvent) => {
    const steps: Record<string, number> = {
      ...{ ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 },
      ...{ Home: -rows.length, End: rows.length },
    };
    const step = steps[event.key];
    if (step === undefined || rows.length === 0) return;
    event.preventDefault();
    setAt((now) => Math.min(rows.length - 1, Math.max(0, (now ?? rows.length - 1) + step)));
  };
  return (
    <Card
      title={`Last ${length} slots`}
      aside={
        <ul className={styles.legend}>
          {query.data !== undefined && rows.length === 0 && <li>none decided yet</li>}
          {worstFirst(outcomes).map((outcome) => (
            <li key={outcome}>
              <OutcomeMark outcome={outcome} size={11} />
              <span className="num">{outcomes.filter((one) => one === outcome).length}</span>{" "}
              {OUTCOMES[outcome].word}
            </li>
          ))}
        </ul>
      }
    >
      <div
        ref={frame}
        className={styles.strip}
        role="slider"
        tabIndex={0}
        aria-label="Slots, oldest to newest"
        aria-orientation="horizontal"
        aria-valuemin={1}
        aria-valuemax={Math.max(1, rows.length)}
        aria-valuenow={(at ?? rows.length - 1) + 1}
        aria-valuetext={rows.length === 0 ? "No slot decided yet" : describe(at ?? rows.length - 1)}
        onKeyDown={walk}
        onBlur={() => setAt(undefined)}
      >
        <Strip
          outcomes={outcomes}
          length={length}
          label={`Last ${outcomes.length} slots: ${tally(outcomes) || "none yet"}`}
          describe={describe}
          geometry={geometry}
          pointed={at}
        />
      </div>
    </Card>
  );
}

/** As many cells as there is room for, wide enough to be told apart. */
function filling(width: number): { length: number; geometry: StripGeometry } {
  const room = Math.floor((width + LARGE.gap) / (LARGE.cell + LARGE.gap));
  const length = width === 0 ? LEDGER_PAGE : Math.min(LEDGER_PAGE, Math.max(1, room));
  const cell = Math.floor(((width + LARGE.gap) / length - LARGE.gap) * 100) / 100;
  return { length, geometry: { ...LARGE, cell: Math.max(LARGE.cell, cell) } };
}

/** `today 09:00 · completed in 1.4 s · decided 38 ms after due`. */
function useDescription(zone: string, rows: readonly LedgerRow[]): (at: number) => string {
  const style = useTimeStyle(zone);
  const now = useNow(60_000);
  return (at) => {
    const row = rows[at];
    if (row === undefined) return "";
    const { tick, job } = row;
    const outcome = slotOutcome(tick.outcome, job?.status);
    const ran =
      job?.startedAt && job.finishedAt
        ? ` in ${duration(Date.parse(job.finishedAt) - Date.parse(job.startedAt))}`
        : "";
    const when = timeText(Date.parse(tick.scheduledFor), style, now, {
      show: "full",
      seconds: true,
    });
    const reason = tick.reason === null ? "" : `: ${tick.reason}`;
    const lag = duration(tick.lag * 1000);
    return `${when} · ${OUTCOMES[outcome].word}${ran}${reason} · decided ${lag} after due`;
  };
}
