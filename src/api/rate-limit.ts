import type { Response } from "express";
import { CarillonError } from "../errors.js";

const WINDOW_SECONDS = 60;
/** Buckets kept before full ones are dropped. */
const MANY = 10_000;

/** Counts a request of a principal, and refuses it when there have been too many. */
export type Limiter = (principalId: string, response: Response) => void;

/**
 * A bucket per principal that holds `perMinute` requests and fills evenly, in this process: with
 * several processes behind one address, each lets that many through.
 *
 * @throws CarillonError `rate_limited`
 */
export function createLimiter(perMinute: number, now: () => number = Date.now): Limiter {
  if (perMinute === 0) return () => undefined;
  const policy = `"principal";q=${perMinute};w=${WINDOW_SECONDS}`;
  const msEach = (WINDOW_SECONDS * 1000) / perMinute;
  /** When a principal's bucket will be full again: one number says how full it is now. */
  const fullAt = new Map<string, number>();

  return (principalId, response) => {
    const time = now();
    if (fullAt.size >= MANY) {
      for (const [id, full] of fullAt) if (full <= time) fullAt.delete(id);
    }
    const full = Math.max(fullAt.get(principalId) ?? 0, time) + msEach;
    const missing = (full - time) / msEach;
    const left = Math.floor(perMinute - missing);
    response.set({
      "ratelimit-policy": policy,
      ratelimit: `"principal";r=${Math.max(left, 0)};t=${seconds(missing * msEach)}`,
    });
    if (left >= 0) {
      fullAt.set(principalId, full);
      return;
    }
    const wait = seconds((missing - perMinute) * msEach);
    response.set("retry-after", String(wait));
    throw new CarillonError(
      "rate_limited",
      `more than ${perMinute} requests a minute; try again in ${wait} s`,
    );
  };
}

const seconds = (ms: number) => Math.max(1, Math.ceil(ms / 1000));
