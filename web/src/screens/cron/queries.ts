import type { Cron, Tick } from "carillon/client";
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { ListedJob } from "../../jobs/types.js";
import { client } from "../../session/session.js";
import type { TickOutcome } from "./search.js";

/** A decided slot, with the job that came of it where one may see it. */
export interface LedgerRow {
  tick: Tick;
  job: ListedJob | undefined;
}

export const LEDGER_PAGE = 90;

/** The ledger of a cron, newest first. */
export const ledgerQuery = (
  { appId, id }: Pick<Cron, "appId" | "id">,
  outcome: readonly TickOutcome[],
  withJobs: boolean,
) =>
  infiniteQueryOptions({
    queryKey: ["crons", "ledger", appId, id, { outcome, withJobs }],
    queryFn: async ({ signal, pageParam }) => {
      const page = await client().crons.ticks(
        appId,
        id,
        {
          limit: String(LEDGER_PAGE),
          ...(outcome.length === 0 ? {} : { outcome: [...outcome] }),
          ...(pageParam === undefined ? {} : { cursor: pageParam }),
        },
        { signal },
      );
      const jobs = withJobs ? await jobsOf(page.items, signal) : new Map<number, ListedJob>();
      const rows = page.items.map((tick): LedgerRow => ({
        tick,
        job: tick.msgId === null ? undefined : jobs.get(tick.msgId),
      }));
      return { rows, nextCursor: page.nextCursor };
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
  });

/** A job is enqueued in the very transaction that decides its slot. */
async function jobsOf(
  ticks: readonly Tick[],
  signal: AbortSignal,
): Promise<Map<number, ListedJob>> {
  const times = ticks.filter(({ msgId }) => msgId !== null).map(({ decidedAt }) => decidedAt);
  const [tick] = ticks;
  if (tick === undefined || times.length === 0) return new Map();
  const instants = times.map((time) => Date.parse(time));
  const { items } = await client().jobs.list(
    tick.appId,
    {
      ...{ cronId: tick.cronId, limit: "1000" },
      enqueuedAfter: new Date(Math.min(...instants) - 1000).toISOString(),
      enqueuedBefore: new Date(Math.max(...instants) + 1000).toISOString(),
    },
    { signal },
  );
  return new Map(items.map((job) => [job.msgId, job]));
}

/** The slots ahead, with what the clocks do to them. */
export const nextSlotsQuery = (cron: Cron, count: number) =>
  queryOptions({
    queryKey: ["crons", "next", cron.id, cron.version, cron.nextFireAt, count],
    queryFn: async ({ signal }) =>
      client().schedules.preview(
        {
          schedule: cron.schedule,
          timezone: cron.timezone,
          count: String(count),
          ...(cron.startsAt === null ? {} : { startsAt: cron.startsAt }),
          ...(cron.endsAt === null ? {} : { endsAt: cron.endsAt }),
          ...cron.dst,
        },
        { signal },
      ),
    staleTime: 30_000,
  });

export const cronJobsQuery = ({ appId, id }: Pick<Cron, "appId" | "id">) =>
  infiniteQueryOptions({
    queryKey: ["crons", "jobs", appId, id],
    queryFn: async ({ signal, pageParam }) =>
      client().jobs.list(
        appId,
        { cronId: id, limit: "50", ...(pageParam === undefined ? {} : { cursor: pageParam }) },
        { signal },
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
  });

export const runsQuery = ({ appId, id }: Pick<Cron, "appId" | "id">) =>
  queryOptions({
    queryKey: ["crons", "runs", appId, id],
    queryFn: ({ signal }) => client().crons.runs(appId, id, { limit: "100" }, { signal }),
  });

/** Its newest backfills, with their progress. */
export const backfillsQuery = ({ appId, id }: Pick<Cron, "appId" | "id">) =>
  queryOptions({
    queryKey: ["crons", "backfills", appId, id],
    queryFn: ({ signal }) => client().crons.backfills(appId, id, { signal }),
  });

export const cronAuditQuery = ({ appId, id }: Pick<Cron, "appId" | "id">) =>
  infiniteQueryOptions({
    queryKey: ["crons", "audit", appId, id],
    queryFn: async ({ signal, pageParam }) =>
      client().audit.ofCron(
        appId,
        id,
        { limit: "50", ...(pageParam === undefined ? {} : { cursor: pageParam }) },
        { signal },
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
  });
