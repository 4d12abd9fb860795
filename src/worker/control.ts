import { CarillonError } from "../errors.js";

const MOST_MS = 365 * 86_400_000;

/** Thrown by a handler: the attempt ends here, and the job is tried again after `ms`. */
export class RetryAfter extends Error {
  readonly ms: number;

  constructor(ms: number) {
    super(`asked to be tried again after ${ms} ms`);
    this.name = "RetryAfter";
    this.ms = ms;
  }
}

/** Thrown by a handler: the job fails for good, whatever attempts are left. */
export class Discard extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "Discard";
  }
}

/**
 * To be thrown by a handler that wants to be tried again later. The attempt stays on record, but
 * does not count towards `maxAttempts`.
 *
 * @param ms milliseconds from now, 0 to a year
 * @example if (response.status === 429) throw retryAfter(60_000);
 * @throws CarillonError `invalid_input` for another number
 */
export function retryAfter(ms: number): RetryAfter {
  if (!(ms >= 0 && ms <= MOST_MS)) {
    throw new CarillonError("invalid_input", "retryAfter() takes milliseconds, 0 to a year");
  }
  return new RetryAfter(ms);
}

/**
 * To be thrown by a handler when trying again is of no use: the job fails with the reason.
 *
 * @example if (user === undefined) throw discard("the user is gone");
 */
export const discard = (reason: string): Discard => new Discard(reason);
