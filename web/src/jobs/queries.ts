import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client } from "../session/session.js";
import { serverNow } from "../time/clock.js";
import { beginnings, mergedPage } from "./merge.js";
import type { JobFilter, JobStatus, ListedJob } from "./types.js";

export const JOB_ORDERS = ["newest", "oldest", "due"] as const;
export type JobOrder = (typeof JOB_ORDERS)[number];

/** How far back a list goes, by what its URL says. */
export const WITHIN = {
  any: null,
  "1h": 3600,
  "24h": 86_400,
  "7d": 604_800,
  "30d": 2_592_000,
} as const;
export type Within = keyof typeof WITHIN;

/** Which jobs a list shows, as its URL has it. */
export interface JobChoice {
  status: readonly JobStatus[];
  trigger: readonly ListedJob["trigger"][];
  cron: string;
  tag: string;
  within: Within;
  after: string | undefined;
  before: string | undefined;
}

/** The same as the API takes it. */
export function filterOf(choice: JobChoice): JobFilter {
  const { status, trigger, cron, tag, within, after, before } = choice;
  const since = sinceOf(within);
  const from = after ?? since;
  return {
    ...(status.length === 0 ? {} : { status: [...status] }),
    ...(trigger.length === 0 ? {} : { trigger: [...trigger] }),
    ...(cron === "" ? {} : { cronId: cron }),
    ...(tag === "" ? {} : { tag }),
    ...(from === undefined ? {} : { enqueuedAfter: from }),
    ...(before === undefined ? {} : { enqueuedBefore: before }),
  };
}

function sinceOf(within: Within): string | undefined {
  const seconds = WITHIN[within];
  return seconds === null ? undefined : new Date(serverNow() - seconds * 1000).toISOString();
}

/** Whether anything narrows the list. */
export const isNarrow = ({ status, trigger, cron, tag, within, after, before }: JobChoice) =>
  status.length + trigger.length > 0 ||
  cron + tag !== "" ||
  within !== "any" ||
  after !== undefined ||
  before !== undefined;

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
