import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client } from "../session/session.js";
import type { CronOrder, CronState } from "./types.js";

export interface CronFilter {
  app: string;
  q: string;
  state: readonly CronState[];
  order: CronOrder;
}

const PAGE = 50;

/** Crons of all apps, page by page. */
export const cronsQuery = ({ app, q, state, order }: CronFilter) =>
  infiniteQueryOptions({
    queryKey: ["crons", "list", { app, q, state, order }],
    queryFn: async ({ signal, pageParam }) =>
      client().crons.summaries(
        {
          ...{ order, limit: String(PAGE) },
          ...(app === "" ? {} : { app }),
          ...(q === "" ? {} : { q }),
          ...(state.length === 0 ? {} : { state: [...state] }),
          ...(pageParam === undefined ? {} : { cursor: pageParam }),
        },
        { signal },
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
  });

/** One cron, with how its newest slots went. */
export const cronQuery = (appId: string, id: string) =>
  queryOptions({
    queryKey: ["crons", "one", appId, id],
    queryFn: ({ signal }) => client().crons.summary(appId, id, { slots: 90 }, { signal }),
  });
