import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { TimeChart, TimeLegend, type Spread } from "../../charts/TimeChart.js";
import type { CronSummary } from "../../crons/types.js";
import { useLive } from "../../live/live.js";
import { Select } from "../../parts/Field.js";
import { Card } from "../../parts/Page.js";
import { EmptyState, Loadable } from "../../parts/States.js";
import { useNow } from "../../time/clock.js";
import { cityOf, count, counted, duration, knownZone, type TimeStyle } from "../../time/format.js";
import { timeText } from "../../time/Time.js";
import { useTimeStyle } from "../../time/times.js";
import { useSearchState } from "../../url/use-search-state.js";
import { nextSlotsQuery } from "./queries.js";
import { cronSearch, RANGES } from "./search.js";
import { statsQuery, type Bucket, type Stats } from "./stats.js";
import { StatsTable } from "./StatsTable.js";
import styles from "./timing.module.css";
import { cadenceOf, shortestGap, WINDOWS, windowFor } from "./windows.js";

/** How long its jobs ran, how late they were, and how long they waited, over time. */
export function TimingTab({ summary }: { summary: CronSummary }) {
  const { cron } = summary;
  const [{ range }, change] = useSearchState(cronSearch);
  const shown = useTimeStyle(cron.timezone);
  const style = { ...shown, zone: knownZone(shown.zone) };
  const cadence = cadenceOf(summary);
  const window = windowFor(range, cadence);
  const query = useLive(statsQuery(cron, window, style.zone), 30_000);
  const { data: ahead } = useQuery(nextSlotsQuery(cron, 10));
  const usual = WINDOWS[windowFor("auto", cadence)].text;
  return (
    <div className={styles.stack}>
      <div className={styles.head}>
        <Select
          label="Window"
          value={range}
          options={RANGES.map((one) => [
            one,
            one === "auto" ? `By how often it fires (${usual})` : `The last ${WINDOWS[one].text}`,
          ])}
          onChange={(next) => change({ range: next })}
        />
        <span className="muted small">
          Times of {cityOf(style.zone)}. Percentiles are right to 5 %.
        </span>
      </div>
      <Loadable query={query}>
        {(stats) =>
          isEmpty(stats) ? (
            <Card>
              <EmptyState title={`No job of this cron ended in the last ${WINDOWS[window].text}`}>
                {window === "1y" ? "Its next slot makes one." : "A longer window may have some."}
              </EmptyState>
            </Card>
          ) : (
            <Charts
              stats={stats}
              style={style}
              summary={summary}
              every={shortestGap(ahead?.slots ?? [])}
            />
          )
        }
      </Loadable>
    </div>
  );
}

const isEmpty = ({ total }: Stats) => total.completed + total.failed + total.canceled === 0;

interface ChartsProps {
  stats: Stats;
  style: TimeStyle;
  summary: CronSummary;
  /** Seconds between two slots, where they are closest. */
  every: number | undefined;
}

function Charts({ stats, style, summary, every }: ChartsProps) {
  const [at, setAt] = useState<number>();
  const now = useNow(60_000);
  const { buckets, total } = stats;
  const starts = buckets.map(({ from }) => Date.parse(from));
  const when = (n: number) =>
    timeText(starts[n] ?? 0, style, now, {
      show: stats.bucket === "1d" ? "day" : "full",
      seconds: false,
    });
  const shared = { starts, style, at, onAt: setAt };
  const spread = (part: "duration" | "wait" | "lag") => ({
    values: buckets.map((bucket) => bucket[part]),
    describe: (n: number) => `${when(n)} · ${told(buckets[n], part)}`,
  });
  const failed = buckets.map((bucket) => bucket.failed > 0);
  return (
    <>
      <Card title="How long its jobs ran" aside={<TimeLegend failed={failed.includes(true)} />}>
        <div className={styles.chart}>
          <p>
            {totals(stats)} {spreadText(total.duration, "ran")}
            {total.duration !== null &&
              `, the longest ${duration(total.duration.max * 1000)}`}.{" "}
            <Room p95={total.duration?.p95} every={every} policy={summary.cron.overlapPolicy} />
          </p>
          <TimeChart
            {...shared}
            {...spread("duration")}
            label="How long its jobs ran, over time"
            failed={failed}
            rule={ruleOf(summary, every)}
          />
        </div>
      </Card>
      <div className={styles.pair}>
        <Card title="Lag: from slot to decision" aside={<TimeLegend />}>
          <div className={styles.chart}>
            <p>
              {total.lag === null
                ? "None of these jobs was made by a slot."
                : `${capital(spreadText(total.lag, "late"))}.`}
            </p>
            {total.lag !== null && (
              <TimeChart {...shared} {...spread("lag")} label="Lag over time" />
            )}
          </div>
        </Card>
        <Card title="Wait: from due to started" aside={<TimeLegend />}>
          <div className={styles.chart}>
            <p>
              {total.wait === null
                ? "None of these jobs was started."
                : `${capital(spreadText(total.wait, "waited"))}.`}
            </p>
            {total.wait !== null && (
              <TimeChart {...shared} {...spread("wait")} label="Wait over time" />
            )}
          </div>
        </Card>
      </div>
      <StatsTable stats={stats} style={style} />
    </>
  );
}

const VERBS = {
  ran: ["half ran up to", "95 % up to"],
  late: ["half were decided within", "95 % within"],
  waited: ["half waited up to", "95 % up to"],
} as const;

/** `half ran up to 1.2 s, 95 % up to 4 s`. */
function spreadText(spread: Spread | null, verb: keyof typeof VERBS): string {
  if (spread === null) return "none was started";
  const [half, most] = VERBS[verb];
  return `${half} ${duration(spread.p50 * 1000)}, ${most} ${duration(spread.p95 * 1000)}`;
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** `1,204 jobs ended, 99.2 % of them well:`. */
function totals({ total: { completed, failed, canceled, successRate } }: Stats): string {
  const jobs = counted(completed + failed + canceled, "job");
  const well =
    successRate === null ? "" : `, ${(successRate * 100).toFixed(failed === 0 ? 0 : 1)} % well`;
  return `${jobs} ended${well}:`;
}

/** Whether a job is usually over when the next slot comes. */
function Room({
  p95,
  every,
  policy,
}: {
  p95: number | undefined;
  every: number | undefined;
  policy: CronSummary["cron"]["overlapPolicy"];
}) {
  if (p95 === undefined || every === undefined || p95 < every * 0.8) return null;
  const then = {
    skip: "slots are skipped",
    buffer: "jobs wait for each other",
    queue: "jobs run side by side",
    replace: "jobs are cut short",
  };
  return (
    <strong>
      It is due every {duration(every * 1000)}: where one takes longer, {then[policy]}.
    </strong>
  );
}

/** The interval it should stay below, or its timeout. */
function ruleOf({ cron }: CronSummary, every: number | undefined) {
  if (cron.timeout !== null && (every === undefined || cron.timeout < every)) {
    return { seconds: cron.timeout, text: `timeout ${duration(cron.timeout * 1000)}` };
  }
  return every === undefined
    ? undefined
    : { seconds: every, text: `due every ${duration(every * 1000)}` };
}

function told(bucket: Bucket | undefined, part: "duration" | "wait" | "lag"): string {
  const value = bucket?.[part];
  if (bucket === undefined || value == null) return "no job";
  const jobs = counted(bucket.completed + bucket.failed + bucket.canceled, "job");
  const bad = part === "duration" && bucket.failed > 0 ? `, ${count(bucket.failed)} failed` : "";
  return `p50 ${duration(value.p50 * 1000)}, p95 ${duration(value.p95 * 1000)} of ${jobs}${bad}`;
}
