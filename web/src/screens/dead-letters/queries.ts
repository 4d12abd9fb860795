import { infiniteQueryOptions } from "@tanstack/react-query";
import type { DeadLetter } from "carillon/client";
import { beginnings, mergedPage } from "../../jobs/merge.js";
import { client } from "../../session/session.js";

const PAGE = 200;

/** The dead letters of some apps, newest first, and how many there are of each. */
export const lettersQuery = (appIds: readonly string[]) =>
  infiniteQueryOptions({
    queryKey: ["dead-letters", "list", appIds],
    queryFn: async ({ signal, pageParam }) => {
      const counts: Record<string, number> = {};
      const page = await mergedPage(
        pageParam,
        PAGE,
        async (appId, cursor) => {
          const query = { limit: String(PAGE), ...(cursor === undefined ? {} : { cursor }) };
          const found = await client().deadLetters.list(appId, query, { signal });
          counts[appId] = found.count;
          return found;
        },
        (a, b) => b.id - a.id,
      );
      return { ...page, counts };
    },
    initialPageParam: beginnings<DeadLetter>(appIds),
    getNextPageParam: ({ next }) => next,
  });
