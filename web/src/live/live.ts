import {
  keepPreviousData,
  useQuery,
  type QueryKey,
  type UseQueryOptions,
  type UseQueryResult,
} from "@tanstack/react-query";
import { useEffect, useId } from "react";
import { createStore, keptChoice, useStore } from "../store.js";

/*
 * Polling that knows about people: fast while somebody is there, slow when nobody has moved for a
 * minute, not at all in a hidden tab, and never under the hand of somebody who has selected rows.
 */

/** How often the page asks: as fast as each list may, every half minute, or when told to. */
export const PACES = ["live", "slow", "off"] as const;
export const pace = keptChoice("pace", PACES, "live");

const SLOW_MS = 30_000;
const IDLE_AFTER_MS = 60_000;

/** Why nothing may move just now, by who says so; the first is shown. */
const holds = createStore<ReadonlyMap<string, string>>(new Map());

/** Whether somebody has touched the page in the last minute. */
const idle = createStore(false);

let idleTimer: ReturnType<typeof setTimeout> | undefined;
function stir(): void {
  idle.set(false);
  clearTimeout(idleTimer);
  idleTimer = setTimeout(() => idle.set(true), IDLE_AFTER_MS);
}

/** Watches for signs of life; once, when the page begins. */
export function watchActivity(): void {
  for (const sign of ["pointermove", "pointerdown", "keydown", "scroll", "focus"]) {
    window.addEventListener(sign, stir, { capture: true, passive: true });
  }
  stir();
}

/** Holds everything still while there is a reason: `3 rows selected`. */
export function useHold(reason: string | undefined): void {
  const id = useId();
  useEffect(() => {
    if (reason === undefined) return undefined;
    holds.set(new Map(holds.get()).set(id, reason));
    return () => {
      const rest = new Map(holds.get());
      rest.delete(id);
      holds.set(rest);
    };
  }, [id, reason]);
}

/** What the page does about being up to date. */
export type Liveness =
  { state: "live" } | { state: "slow"; idle: boolean } | { state: "off" | "held"; reason: string };

export function useLiveness(): Liveness {
  const chosen = useStore(pace);
  const isIdle = useStore(idle);
  const [reason] = useStore(holds).values();
  if (reason !== undefined) return { state: "held", reason };
  if (chosen === "off") return { state: "off", reason: "Updates are off" };
  return chosen === "slow" || isIdle ? { state: "slow", idle: isIdle } : { state: "live" };
}

const EVERY = { live: undefined, slow: SLOW_MS, off: false, held: false } as const;

/**
 * What keeps a query up to date, by the page's pace: spread into its options.
 *
 * @param every milliseconds between two requests while somebody is there
 */
export function useLiveOptions(every = 5000) {
  return { ...usePolling(every), meta: { live: true } };
}

/** The same for what stands beside the page's matter, and does not count for its age. */
export function usePolling(every: number) {
  const { state } = useLiveness();
  const interval = EVERY[state] ?? every;
  const moves = interval !== false;
  return {
    placeholderData: keepPreviousData,
    refetchInterval: moves ? Math.max(interval, every) : (false as const),
    refetchOnWindowFocus: moves,
    refetchOnReconnect: moves,
  };
}

/** A query that is kept up to date. */
export function useLive<T, K extends QueryKey>(
  options: UseQueryOptions<T, Error, T, K>,
  every = 5000,
): UseQueryResult<T> {
  const { placeholderData, ...live } = useLiveOptions(every);
  return useQuery({ placeholderData, ...options, ...live });
}
