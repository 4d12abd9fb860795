import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client } from "../session/session.js";
import { beginnings, mergedPage } from "./merge.js";
import { filterOf, type JobChoice, type JobOrder } from "./choice.js";
import { STATUSES, type JobStatus, type ListedJob } from "./types.js";

const PAGE = 50;

const COMPARE: Readonly<Record<JobOrder, (a: ListedJob, b: ListedJob) => number>> = {
  newest: (a, b) => b.msgId - a.msgId,
  oldest: (a, b) => a.msgId - b.msgId,
  due: (a, b) => (a.dueAt ?? "").localeCompare(b.dueAt ?? "") || a.msgId - b.msgId,
};

/** Jobs of some apps, page by page, in one order. */
export const jobsQuery = (appIds: readonly string[], choice: JobChoice, order: JobOrder) =>
  infiniteQueryOptions({
    queryKey: ["jobs", "list", appIds, choice, order],
    queryFn: ({ signal, pageParam }) => {
      const query = { ...queryOf(choice), sort: order, limit: String(PAGE) };
      return mergedPage(
        pageParam,
        PAGE,
        async (appId, cursor) =>
          client().jobs.list(
            appId,
            { ...query, ...(cursor === undefined ? {} : { cursor }) },
            { signal },
          ),
        COMPARE[order],
      );
    },
    initialPageParam: beginnings<ListedJob>(appIds),
    getNextPageParam: ({ next }) => next,
  });

/** How many there are in each status, as far as they are counted. */
export type StatusCounts = Readonly<Record<JobStatus, { count: number; capped: boolean }>>;

/** Of the jobs that a choice means, whichever statuses it names. */
export const statusCountsQuery = (appIds: readonly string[], choice: JobChoice) => {
  const others = { ...choice, status: [] };
  return queryOptions({
    queryKey: ["jobs", "counts", appIds, others],
    queryFn: async ({ signal }): Promise<StatusCounts> => {
      const query = { ...queryOf(others), count: "true", limit: "1" } as const;
      const sums = new Map<JobStatus, { count: number; capped: boolean }>();
      // App by app: what else the page asks for is not kept waiting.
      for (const appId of appIds) {
        const found = await Promise.all(
          STATUSES.map((status) => client().jobs.list(appId, { ...query, status }, { signal })),
        );
        STATUSES.forEach((status, at) => {
          const { count = 0, capped = false } = found[at]?.count ?? {};
          const sum = sums.get(status);
          sums.set(status, {
            count: count + (sum?.count ?? 0),
            capped: capped || sum?.capped === true,
          });
        });
      }
      return Object.fromEntries(sums) as Record<JobStatus, { count: number; capped: boolean }>;
    },
  });
};

/** A choice as the address of a list has it. */
function queryOf(choice: JobChoice) {
  const { status = [], trigger = [], ...rest } = filterOf(choice);
  const some = (words: string | readonly string[]) => [words].flat().join(",") || undefined;
  const [states, triggers] = [some(status), some(trigger)];
  return {
    ...rest,
    ...(states === undefined ? {} : { status: states }),
    ...(triggers === undefined ? {} : { trigger: triggers }),
  };
}

export const jobQuery = (appId: string, id: number) =>
  queryOptions({
    queryKey: ["jobs", "one", appId, id],
    queryFn: ({ signal }) => client().jobs.get(appId, id, { signal }),
  });

/** The name of a cron: asked for once, shown in every row that has it. */
export const cronNameQuery = (appId: string, cronId: string) =>
  queryOptions({
    queryKey: ["jobs", "cron-name", appId, cronId],
    queryFn: async ({ signal }) => (await client().crons.get(appId, cronId, { signal })).name,
    staleTime: 600_000,
  });
