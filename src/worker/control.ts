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

/** What becomes of a job whose attempt failed, and what is kept of the attempt. */
export interface FailureTerms {
  /** What the attempt has found out all the same. */
  readonly result?: unknown;
  /** Milliseconds until the next attempt, where one is left; else as the job's backoff has it. */
  readonly waitMs?: number;
  /** No further attempt is of use. */
  readonly final?: boolean;
}

/** Thrown by a handler of Carillon's own: the attempt failed, on these terms. */
export class AttemptFailed extends Error {
  readonly terms: FailureTerms;

  constructor(name: string, message: string, terms: FailureTerms = {}) {
    super(message);
    this.name = name;
    this.terms = terms;
    // Where in Carillon it was made tells nobody anything.
    delete this.stack;
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
