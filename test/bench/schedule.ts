import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

import type { Sql } from "postgres";

/*
 * Microseconds per next_fire, beside croner and cron-parser in Node doing the same: the text of a
 * schedule, a zone and an instant in, the next slot out, the text parsed every time. Each schedule is
 * asked from instants spread over two years, so that changes of offset are met as often as in life.
 */

interface Subject {
  what: string;
  schedule: string;
  timezone: string;
}

const TYPICAL: readonly Subject[] = [
  { what: "every minute", schedule: "* * * * *", timezone: "GMT" },
  { what: "every 5 minutes", schedule: "*/5 * * * *", timezone: "GMT" },
  { what: "hourly", schedule: "15 * * * *", timezone: "America/New_York" },
  { what: "daily", schedule: "0 9 * * *", timezone: "America/New_York" },
  { what: "weekdays", schedule: "0 9 * * 1-5", timezone: "America/New_York" },
  { what: "office hours", schedule: "*/15 9-17 * * 1-5", timezone: "Europe/London" },
  { what: "twice a month", schedule: "0 0 1,15 * *", timezone: "Europe/Berlin" },
  { what: "last day of the month", schedule: "0 0 $ * *", timezone: "Australia/Sydney" },
  { what: "10 seconds", schedule: "10 seconds", timezone: "GMT" },
  {
    what: "90 minutes",
    schedule: "every 90 minutes from 2026-05-08T10:30",
    timezone: "Europe/London",
  },
];

/** Years ahead, and the few days it might be are looked at one by one. */
const WORST: readonly Subject[] = [
  { what: "leap day", schedule: "0 0 29 2 *", timezone: "America/New_York" },
  { what: "leap day, if Sunday", schedule: "0 0 29 2 */7", timezone: "America/New_York" },
];

/** The one of our forms that the libraries have too. */
const isCron = (schedule: string) => !/[a-z]/.test(schedule);

/** One library's way from text, zone and instant to the next slot; null where it cannot say it. */
type Peer = (subject: Subject) => ((after: Date) => unknown) | null;

/** From the folder the peers are installed in, or from any above it. */
async function load(name: string): Promise<unknown> {
  const require = createRequire(new URL("./peers/package.json", import.meta.url));
  return import(pathToFileURL(require.resolve(name)).href);
}

async function croner(): Promise<Peer> {
  const { Cron } = (await load("croner")) as {
    Cron: new (pattern: string, options: object) => { nextRun(after: Date): Date | null };
  };
  return ({ schedule, timezone }) => {
    if (!isCron(schedule)) return null;
    const pattern = schedule.replace("$", "L");
    return (after) => new Cron(pattern, { timezone, paused: true }).nextRun(after);
  };
}

async function cronParser(): Promise<Peer> {
  const { CronExpressionParser } = (await load("cron-parser")) as {
    CronExpressionParser: {
      parse(expression: string, options: object): { next(): { toDate(): Date } };
    };
  };
  return ({ schedule, timezone }) => {
    if (!isCron(schedule)) return null;
    const expression = schedule.replace("$", "L");
    return (currentDate) =>
      CronExpressionParser.parse(expression, { currentDate, tz: timezone }).next().toDate();
  };
}

async function peers(): Promise<Map<string, Peer>> {
  const found = new Map<string, Peer>();
  for (const [name, peer] of [
    ["croner", croner],
    ["cron-parser", cronParser],
  ] as const) {
    try {
      found.set(name, await peer());
    } catch (error) {
      // Not installed: the table says so.
      if ((error as { code?: string }).code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  return found;
}

const FIRST = Date.UTC(2026, 0, 1);
const SPAN = 2 * 365 * 86_400_000;

/** One SQL statement, one call for each instant; the time without its empty twin. */
async function inPostgres(sql: Sql, subject: Subject, calls: number): Promise<number> {
  const time = async (expression: string) => {
    const started = performance.now();
    await sql.unsafe(
      `select count(${expression})
       from (
         select timestamptz '2026-01-01 00:00:00+00' + i * $3::float8 * interval '1 millisecond' as after
         from generate_series(1, $4::int) as i
       ) as s
       where $1::text is not null and $2::text is not null`,
      [subject.schedule, subject.timezone, SPAN / calls, calls],
    );
    return performance.now() - started;
  };
  const call = "carillon.next_fire($1::text, $2::text, s.after)";
  await time(call);
  const best = Math.min(await time(call), await time(call), await time(call));
  return ((best - (await time("s.after"))) * 1000) / calls;
}

function inNode(next: (after: Date) => unknown, calls: number): number {
  const run = () => {
    const started = performance.now();
    for (let i = 1; i <= calls; i++) next(new Date(FIRST + (i * SPAN) / calls));
    return performance.now() - started;
  };
  run();
  return (Math.min(run(), run(), run()) * 1000) / calls;
}

export interface ScheduleBench {
  bench: "schedule";
  calls: number;
  /** Microseconds per call. */
  typical_mean_us: number;
  typical_max_us: number;
  worst_us: number;
  /** Mean over the schedules both can say, theirs divided by ours; null when not installed. */
  ratio_croner: number | null;
  ratio_cron_parser: number | null;
}

/**
 * Prints the table and returns its summary.
 *
 * @param sql a database with Carillon installed
 * @param options.calls per schedule; 1 keeps the bench from rotting in CI, 20000 gives figures
 */
export async function benchSchedule(
  sql: Sql,
  options: { calls?: number; print?: (line: string) => void } = {},
): Promise<ScheduleBench> {
  const { calls = 20_000, print = console.log } = options;
  const others = await peers();
  const ours: number[] = [];
  const pairs = new Map<string, { ours: number; theirs: number }[]>();
  let worst = 0;

  print(
    `${"µs per next slot".padEnd(24)}${"carillon".padStart(12)}${"croner".padStart(14)}${"cron-parser".padStart(14)}`,
  );
  for (const subject of [...TYPICAL, ...WORST]) {
    const own = await inPostgres(sql, subject, calls);
    if (TYPICAL.includes(subject)) ours.push(own);
    else worst = Math.max(worst, own);
    const cells = ["croner", "cron-parser"].map((name) => {
      const peer = others.get(name);
      if (peer === undefined) return "not installed";
      const next = peer(subject);
      if (next === null) return "–";
      try {
        const theirs = inNode(next, Math.max(1, Math.round(calls / 10)));
        const known = pairs.get(name) ?? [];
        if (TYPICAL.includes(subject)) pairs.set(name, [...known, { ours: own, theirs }]);
        return theirs.toFixed(1);
      } catch {
        return "fails";
      }
    });
    print(
      subject.what.padEnd(24) +
        own.toFixed(1).padStart(12) +
        cells.map((cell) => cell.padStart(14)).join(""),
    );
  }

  const ratio = (name: string) => {
    const known = pairs.get(name);
    if (known === undefined) return null;
    const sum = (key: "ours" | "theirs") => known.reduce((total, pair) => total + pair[key], 0);
    return round(sum("theirs") / sum("ours"));
  };
  return {
    bench: "schedule",
    calls,
    typical_mean_us: round(ours.reduce((total, us) => total + us, 0) / ours.length),
    typical_max_us: round(Math.max(...ours)),
    worst_us: round(worst),
    ratio_croner: ratio("croner"),
    ratio_cron_parser: ratio("cron-parser"),
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
