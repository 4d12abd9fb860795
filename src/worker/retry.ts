import { setTimeout as sleep } from "node:timers/promises";
import { CarillonError } from "../errors.js";

/**
 * SQLSTATE classes that pass by themselves: 25006 a server that became a standby, 40 rollbacks
 * and deadlocks, 53 resources, 55 locks, 57 operator, 58 the system around it.
 */
const PASSING = /^(25006|40|53|55|57|58)/;

/** Whether trying again, later and unchanged, can help. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof CarillonError)) return false;
  if (error.code === "database_unavailable") return true;
  const { code } = (error.cause ?? {}) as { code?: unknown };
  return typeof code === "string" && PASSING.test(code);
}

/** Milliseconds before try number `tries` (from 1): doubling from 50 to 2000, give or take half. */
export const backoff = (tries: number): number =>
  Math.min(2000, 50 * 2 ** Math.min(tries - 1, 10)) * (0.5 + Math.random() * 0.5);

/** Waits; an aborted signal ends the wait early, without an error. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

/** Waits until the promise is fulfilled, but no longer than `ms` or the signal. */
export async function within(ms: number, promise: Promise<unknown>, signal: AbortSignal) {
  const over = new AbortController();
  await Promise.race([promise, pause(ms, AbortSignal.any([signal, over.signal]))]);
  over.abort();
}
