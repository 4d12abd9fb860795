import { discard, retryAfter } from "../worker/control.js";
import type { Completed, Failed, Failure, Outcome } from "./types.js";

/** The longest wait a target may ask for; a longer one is cut to this. */
export const MOST_RETRY_AFTER_MS = 86_400_000;

/** A failed attempt, as a handler throws it: named by the failure's class. */
export class TargetError extends Error {
  constructor(failure: Failure) {
    super(failure.message);
    this.name = failure.class;
    // Where in Carillon it was made tells nobody anything.
    delete this.stack;
  }
}

export const completed = (result: unknown): Completed => ({ status: "completed", result });

export const failed = (
  error: Failure,
  more: Partial<Pick<Failed, "result" | "retryable" | "broken" | "retryAfterMs">> = {},
): Failed => ({ status: "failed", error, retryable: true, broken: false, ...more });

/**
 * An outcome as a worker's handler tells it: the result is returned; a failure is thrown, so that
 * the attempt fails, is tried again after a time, or fails for good.
 *
 * @throws TargetError a failure like a handler's own
 * @throws RetryAfter when the target said how long to wait; its cause is the TargetError
 * @throws Discard when trying again is of no use; its cause is the TargetError
 */
export function settle(outcome: Outcome): unknown {
  if (outcome.status === "completed") return outcome.result;
  const error = new TargetError(outcome.error);
  if (!outcome.retryable) throw caused(discard(error.message), error);
  if (outcome.retryAfterMs === undefined) throw error;
  throw caused(retryAfter(Math.min(outcome.retryAfterMs, MOST_RETRY_AFTER_MS)), error);
}

const caused = <E extends Error>(control: E, cause: Error): E => Object.assign(control, { cause });
