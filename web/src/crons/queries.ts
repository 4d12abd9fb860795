import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client } from "../session/session.js";
import type { CronOrder, CronState, CronTarget } from "./types.js";

export interface CronFilter {
  app: string;
  q: string;
  state: readonly CronState[];
  target?: readonly CronTarget[];
  order: CronOrder;
}

/** What is seen at once comes first; whoever reads on reads much. */
const FIRST_PAGE = 50;
const PAGE = 200;

/** Which crons a filter means, as the API takes it. */
const meaning = ({ app, q, state, target = [] }: Omit<CronFilter, "order">) => ({
  ...(app === "" ? {} : { app }),
  ...(q === "" ? {} : { q }),
  ...(state.length === 0 ? {} : { state: [...state] }),
  ...(target.length === 0 ? {} : { target: [...target] }),
});

/** Crons of all apps, page by page. */
export const cronsQuery = ({ order, ...filter }: CronFilter) =>
  infiniteQueryOptions({
    queryKey: ["crons", "list", filter, order],
    queryFn: async ({ signal, pageParam }) =>
      client().crons.summaries(
        {
          ...{ ...meaning(filter), order },
          ...(pageParam === undefined
            ? { limit: String(FIRST_PAGE) }
            : { limit: String(PAGE), cursor: pageParam }),
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

/** Every cron that a filter means, page by page; by name, an order that no slot changes. */
export const everyCron = (filter: Omit<CronFilter, "order">, signal: AbortSignal) =>
  client()
    .crons.summaries({ ...meaning(filter), order: "name", limit: String(PAGE) }, { signal })
    .pages();
