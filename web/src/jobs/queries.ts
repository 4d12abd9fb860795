import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client } from "../session/session.js";
import { beginnings, mergedPage } from "./merge.js";
import { filterOf, type JobChoice, type JobOrder } from "./choice.js";
import type { ListedJob } from "./types.js";

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
      const { status = [], trigger = [], ...rest } = filterOf(choice);
      const some = (words: string | readonly string[]) => [words].flat().join(",") || undefined;
      const [states, triggers] = [some(status), some(trigger)];
      const query = {
        ...{ ...rest, sort: order, limit: String(PAGE) },
        ...(states === undefined ? {} : { status: states }),
        ...(triggers === undefined ? {} : { trigger: triggers }),
      };
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
