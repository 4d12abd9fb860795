import { AttemptFailed } from "../worker/control.js";
import type { Completed, Failed, Failure, Outcome } from "./types.js";

/** The longest wait a target may ask for; a longer one is cut to this. */
export const MOST_RETRY_AFTER_MS = 86_400_000;

export const completed = (result: unknown): Completed => ({ status: "completed", result });

export const failed = (
  error: Failure,
  more: Partial<Pick<Failed, "result" | "retryable" | "broken" | "retryAfterMs">> = {},
): Failed => ({ status: "failed", error, retryable: true, broken: false, ...more });

/**
 * An outcome as a worker's handler tells it: the result is returned, a failure thrown, under the
 * name of its class.
 *
 * @throws AttemptFailed
 */
export function settle(outcome: Outcome): unknown {
  if (outcome.status === "completed") return outcome.result;
  const { error, result, retryable, retryAfterMs } = outcome;
  throw new AttemptFailed(error.class, error.message, {
    ...(result === undefined ? {} : { result }),
    ...(retryAfterMs === undefined ? {} : { waitMs: Math.min(retryAfterMs, MOST_RETRY_AFTER_MS) }),
    ...(retryable ? {} : { final: true }),
  });
}
