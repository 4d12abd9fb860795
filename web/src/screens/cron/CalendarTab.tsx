import { useQuery } from "@tanstack/react-query";
import type { Output } from "carillon/client";
import { useState, type KeyboardEvent } from "react";
import type { CronSummary } from "../../crons/types.js";
import { OUTCOMES, worst, type Outcome } from "../../outcomes/outcomes.js";
import { OutcomeMark } from "../../outcomes/OutcomeMark.js";
import { Card } from "../../parts/Page.js";
import { EmptyState, Loadable } from "../../parts/States.js";
import { Table, Th } from "../../parts/Table.js";
import { client } from "../../session/session.js";
import { calendarDay, cityOf, count } from "../../time/format.js";
import styles from "./calendar.module.css";

type Calendar = Output<"GET /api/v1/apps/{appId}/crons/{id}/calendar">;
type Day = Calendar["days"][number];

const DAY = 86_400_000;
const CELL = 13;
const GAP = 3;
const STEP = CELL + GAP;

/** A year of days, each by the worst that happened on it; by the calendar of the cron's zone. */
export function CalendarTab({ summary: { cron } }: { summary: CronSummary }) {
  const query = useQuery({
    queryKey: ["crons", "calendar", cron.appId, cron.id],
    queryFn: ({ signal }) => client().crons.calendar(cron.appId, cron.id, {}, { signal }),
    staleTime: 60_000,
  });
  return (
    <Card title="The last year, day by day" aside={`days of ${cityOf(cron.timezone)}`}>
      <Loadable query={query}>
        {(calendar) =>
          calendar.days.length === 0 ? (
            <EmptyState title="No slot was decided in the last year" />
          ) : (
            <Year calendar={calendar} />
          )
        }
      </Loadable>
    </Card>
  );
}

/** What happened on a day, with how often. */
function tallyOf({ slots, jobs }: Day): [Outcome, number][] {
  const all: [Outcome, number | undefined][] = [
    ["completed", jobs?.completed],
    ["failed", jobs?.failed],
    ["canceled", jobs?.canceled],
    ["caught_up", slots?.caughtUp],
    ["skipped", slots?.skipped],
    ["replaced", slots?.replaced],
    ["missed", slots?.missed],
    ["denied", slots?.denied],
    ["undecided", slots?.failed],
    ...(jobs === null ? [["enqueued", slots?.enqueued] as [Outcome, number | undefined]] : []),
  ];
  return all.filter((entry): entry is [Outcome, number] => (entry[1] ?? 0) > 0);
}

// Dates are the server's; between two of them there are whole days, whatever the clocks do.
const numberOf = (date: string) => Date.parse(`${date}T00:00:00Z`) / DAY;
const dateOf = (number: number) => new Date(number * DAY).toISOString().slice(0, 10);

function Year({ calendar }: { calendar: Calendar }) {
  const byDate = new Map(calendar.days.map((day) => [numberOf(day.date), day]));
  const last = Math.max(...byDate.keys());
  // Weeks begin on Monday; the epoch was a Thursday.
  const mondayOf = (day: number) => day - ((((day + 3) % 7) + 7) % 7);
  const first = mondayOf(last - 364);
  const weeks = (mondayOf(last) - first) / 7 + 1;
  const [at, setAt] = useState<number>();
  const here = at ?? last;
  const walk = (event: KeyboardEvent) => {
    const moves: Record<string, number> = {
      ...{ ArrowLeft: -7, ArrowRight: 7, ArrowUp: -1, ArrowDown: 1, PageUp: -28, PageDown: 28 },
      ...{ Home: first - here, End: last - here },
    };
    const move = moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    setAt(Math.min(last, Math.max(first, here + move)));
  };
  const place = (day: number) => ({
    x: ((mondayOf(day) - first) / 7) * STEP,
    y: (day - mondayOf(day)) * STEP,
  });
  const days = Array.from({ length: last - first + 1 }, (_, n) => first + n);
  return (
    <div className={styles.year}>
      <Totals days={calendar.days} />
      <div
        role="slider"
        tabIndex={0}
        aria-label="Days of the last year"
        aria-valuemin={1}
        aria-valuemax={days.length}
        aria-valuenow={here - first + 1}
        aria-valuetext={describe(here, byDate.get(here))}
        ref={newestFirst}
        className={styles.scroll}
        onKeyDown={walk}
        onBlur={() => setAt(undefined)}
      >
        <svg
          width={weeks * STEP}
          height={7 * STEP + 18}
          aria-hidden="true"
          onPointerMove={(event) => {
            const box = event.currentTarget.getBoundingClientRect();
            const week = Math.floor((event.clientX - box.left) / STEP);
            const row = Math.floor((event.clientY - box.top) / STEP);
            const day = first + week * 7 + row;
            setAt(row < 7 && day <= last ? day : undefined);
          }}
          onPointerLeave={() => setAt(undefined)}
        >
          {days.map((day) => {
            const found = byDate.get(day);
            const { x, y } = place(day);
            const outcome = found && worst(tallyOf(found).map(([one]) => one));
            const tone = outcome === undefined ? "none" : OUTCOMES[outcome].tone;
            return (
              <g key={day} data-tone={tone} className={styles.day}>
                <rect x={x} y={y} width={CELL} height={CELL} rx={2} data-quiet={isQuiet(outcome)} />
                {outcome !== undefined && outcome !== "completed" && (
                  <path d={OUTCOMES[outcome].shape(x + 4, y + 3, 5, 7)} />
                )}
              </g>
            );
          })}
          {at !== undefined && (
            <rect
              className={styles.cursor}
              x={place(at).x - 1}
              y={place(at).y - 1}
              width={CELL + 2}
              height={CELL + 2}
              rx={3}
            />
          )}
          {days
            .filter((day) => dateOf(day).endsWith("-01"))
            .map((day) => (
              <text key={day} x={place(day).x} y={7 * STEP + 12} className={styles.month}>
                {new Date(day * DAY).toLocaleDateString("en-US", {
                  month: "short",
                  timeZone: "UTC",
                })}
              </text>
            ))}
        </svg>
      </div>
      <p className={styles.told}>{describe(here, byDate.get(here))}</p>
      <DayTable days={calendar.days} />
    </div>
  );
}

/** Where there is no room for the year, its end is seen first. */
function newestFirst(box: HTMLElement | null): (() => void) | undefined {
  if (box === null) return undefined;
  const observer = new ResizeObserver(() => {
    box.scrollLeft = box.scrollWidth;
  });
  observer.observe(box);
  return () => observer.disconnect();
}

/** The year in one sentence. */
function Totals({ days }: { days: readonly Day[] }) {
  return (
    <p>
      {totalOf(days).map(([outcome, times], n) => (
        <span key={outcome}>
          {n > 0 && ", "}
          <strong className="num">{count(times)}</strong> {OUTCOMES[outcome].word}
        </span>
      ))}
      .
    </p>
  );
}

/** The same as a table, newest first. */
function DayTable({ days }: { days: readonly Day[] }) {
  return (
    <details>
      <summary>Show as a table</summary>
      <Table
        caption="Days of the last year, newest first"
        head={
          <>
            <Th width="9rem">Day</Th>
            <Th>What happened</Th>
          </>
        }
      >
        {days.toReversed().map((day) => (
          <tr key={day.date}>
            <td className="num">{day.date}</td>
            <td>
              <span className={styles.tallies}>
                {tallyOf(day).map(([outcome, times]) => (
                  <span key={outcome}>
                    <OutcomeMark outcome={outcome} size={11} /> {count(times)}{" "}
                    {OUTCOMES[outcome].word}
                  </span>
                ))}
              </span>
            </td>
          </tr>
        ))}
      </Table>
    </details>
  );
}

/** The ordinary is pale, so that the rest is seen. */
const isQuiet = (outcome: Outcome | undefined) =>
  outcome === undefined || outcome === "completed" ? undefined : true;

function describe(day: number, found: Day | undefined): string {
  const at = day * DAY;
  const name = `${calendarDay(at, { zone: "UTC", hour12: false }, at)} ${dateOf(day).slice(0, 4)}`;
  if (found === undefined) return `${name}: no slot`;
  const parts = tallyOf(found).map(
    ([outcome, times]) => `${count(times)} ${OUTCOMES[outcome].word}`,
  );
  return `${name}: ${parts.join(", ") || "nothing"}`;
}

function totalOf(days: readonly Day[]): [Outcome, number][] {
  const totals = new Map<Outcome, number>();
  for (const day of days) {
    for (const [outcome, times] of tallyOf(day)) {
      totals.set(outcome, (totals.get(outcome) ?? 0) + times);
    }
  }
  return [...totals].sort(([, a], [, b]) => b - a);
}
