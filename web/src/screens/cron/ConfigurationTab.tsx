import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { TARGET_WORDS, type CronSummary, type CronTarget } from "../../crons/types.js";
import { manifestEntry } from "../../crons/snippets.js";
import { PersonName } from "../../jobs/PersonName.js";
import { Card, Facts } from "../../parts/Page.js";
import { Json } from "../../parts/Json.js";
import { Loadable } from "../../parts/States.js";
import { Table, Th } from "../../parts/Table.js";
import { useNow } from "../../time/clock.js";
import { counted, duration, wallTime } from "../../time/format.js";
import { Time } from "../../time/Time.js";
import { useTimeStyle } from "../../time/times.js";
import styles from "./cron.module.css";
import { nextSlotsQuery } from "./queries.js";

/** Everything a cron is set to. */
export function ConfigurationTab({ summary }: { summary: CronSummary }) {
  const { cron } = summary;
  return (
    <div className={styles.split}>
      <div className={styles.stack}>
        <Card title="Settings">
          <Facts facts={settings(summary)} />
        </Card>
        {cron.target && (
          <Card title={`Target: ${TARGET_WORDS[cron.target.type]}`}>
            <Json value={cron.target} what="the target" />
          </Card>
        )}
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

type Fact = readonly [string, ReactNode];

/** What is as usual is grey. */
const usual = (value: ReactNode, is: boolean) =>
  is ? <span className="muted">{value} (default)</span> : value;

const span = (seconds: number) => duration(seconds * 1000);

/** How long or how many; what nothing stands for is the default. */
const limit = (value: number | null, nothing: string, words: (value: number) => ReactNode) =>
  value === null ? usual(nothing, true) : words(value);

const settings = (summary: CronSummary): Fact[] => [
  ...whenFacts(summary),
  ...jobFacts(summary.cron),
  ...originFacts(summary.cron),
];

function whenFacts({ cron, sentence }: CronSummary): Fact[] {
  const { dst, startsAt, endsAt, timezone } = cron;
  return [
    ["Schedule", <code key="s">{cron.schedule}</code>],
    ["Time zone", usual(timezone, timezone === "GMT")],
    ["In words", sentence],
    ["Overlap", usual(OVERLAP_WORDS[cron.overlapPolicy], cron.overlapPolicy === "skip")],
    [
      "Jobs at once",
      limit(cron.maxConcurrency, "no limit of its own", (most) => `${most} at most`),
    ],
    ["Missed slots", usual(catchUpWords(cron), cron.catchUp === "latest")],
    ["Caught up within", usual(span(cron.catchUpWindow), cron.catchUpWindow === 3600)],
    ["Jitter", cron.jitter === 0 ? usual("none", true) : `up to ${span(cron.jitter)}`],
    [
      "Clock changes",
      usual(DST_WORDS[dst.gap][dst.fold], dst.gap === "shift" && dst.fold === "first"),
    ],
    [
      "Starts",
      startsAt === null ? usual("at once", true) : <Time key="a" at={startsAt} zone={timezone} />,
    ],
    ["Ends", endsAt === null ? usual("never", true) : <Time key="e" at={endsAt} zone={timezone} />],
  ];
}

function jobFacts(cron: CronSummary["cron"]): Fact[] {
  return [
    ["Goes to", usual(GOES_TO[cron.target?.type ?? "none"], cron.target === null)],
    ["Method", cron.method === null ? usual("none", true) : <code key="m">{cron.method}</code>],
    ["Attempts", usual(cron.maxAttempts, cron.maxAttempts === 1)],
    ["First retry after", usual(span(cron.retryDelay), cron.retryDelay === 10)],
    ["Then each time", usual(`${cron.retryBackoff} × longer`, cron.retryBackoff === 2)],
    ["Timeout", limit(cron.timeout, "the worker's", span)],
    ["Gives up waiting after", limit(cron.expiresAfter, "never", span)],
    [
      "Pauses after",
      limit(cron.maxConsecutiveFailures, "never", (most) => `${counted(most, "failure")} in a row`),
    ],
    ["Priority", usual(cron.priority, cron.priority === 0)],
    ["Tags", cron.tags.length === 0 ? usual("none", true) : cron.tags.join(", ")],
  ];
}

function originFacts(cron: CronSummary["cron"]): Fact[] {
  const { createdBy, runAs, pgJobId, timezone } = cron;
  return [
    ["Owner", createdBy === null ? "deleted" : <PersonName key="o" id={createdBy} />],
    ...(runAs === null ? [] : [["Runs as", <PersonName key="r" id={runAs} />] as const]),
    ["Made by", ORIGIN_WORDS[cron.origin]],
    ["Made", <Time key="c" at={cron.createdAt} zone={timezone} />],
    ["Changed", <Time key="u" at={cron.updatedAt} zone={timezone} />],
    ["Version", cron.version],
    ["Woken by", pgJobId === null ? "the ticker" : `pg_cron's job ${pgJobId}`],
  ];
}

const OVERLAP_WORDS = {
  skip: "skip",
  buffer: "buffer one",
  queue: "queue",
  replace: "replace",
} as const satisfies Record<CronSummary["cron"]["overlapPolicy"], string>;

const catchUpWords = ({ catchUp, catchUpMax }: CronSummary["cron"]) =>
  ({
    latest: "only the newest",
    all: `all of them, ${catchUpMax} at most`,
    none: "recorded, and never run",
  })[catchUp];

const DST_WORDS = {
  shift: {
    first: "a missing hour fires later, a repeated one once",
    both: "a missing hour fires later, a repeated one twice",
  },
  skip: {
    first: "a missing hour does not fire, a repeated one once",
    both: "a missing hour does not fire, a repeated one twice",
  },
} as const;

const GOES_TO = {
  none: "the app's workers",
  http: "an HTTP target",
  agent: "an agent",
  faktory: "a Faktory queue",
  container: "a container",
} as const satisfies Record<CronTarget, string>;

const ORIGIN_WORDS = {
  manifest: "a manifest",
  api: "the API",
  sql: "SQL",
} as const satisfies Record<CronSummary["cron"]["origin"], string>;

function NextSlots({ cron }: { cron: CronSummary["cron"] }) {
  const query = useQuery(nextSlotsQuery(cron, 10));
  const { hour12 } = useTimeStyle();
  const now = useNow(60_000);
  return (
    <Card title="Next 10 slots" flush>
      <Loadable query={query}>
        {({ slots }) => (
          <Table
            caption="Next slots"
            head={
              <>
                <Th>In its zone</Th>
                <Th className={styles.utc}>UTC</Th>
                <Th>Clocks</Th>
              </>
            }
          >
            {slots.map(({ at, local, offset, note }) => (
              <tr key={at}>
                <td className="num">
                  {wallTime(local, hour12, now)} <span className="muted small">{offset}</span>
                </td>
                <td className={`num ${styles.utc ?? ""}`}>{wallTime(at, hour12, now)}</td>
                <td>{note ?? <span className="muted">—</span>}</td>
              </tr>
            ))}
          </Table>
        )}
      </Loadable>
    </Card>
  );
}
