import { useIsFetching, useQueryClient } from "@tanstack/react-query";
import { useNow } from "../time/clock.js";

export interface Age {
  /** When the oldest part of the page came, by the page's own clock. */
  at: number | undefined;
  failing: boolean;
}

/** Of the oldest among what the page keeps up to date. */
export function useAge(): Age {
  useNow(1000);
  useIsFetching();
  const queries = useQueryClient()
    .getQueryCache()
    .findAll({ type: "active", predicate: ({ meta }) => meta?.live === true });
  const times = queries.map(({ state }) => state.dataUpdatedAt).filter((at) => at > 0);
  return {
    at: times.length === 0 ? undefined : Math.min(...times),
    failing: queries.some(({ state }) => state.error !== null),
  };
}
