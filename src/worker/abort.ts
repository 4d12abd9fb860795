/** Why the signal of a running job was aborted. */
export type AbortCause = "timeout" | "canceled" | "lease_lost" | "shutdown";

const MESSAGES: Record<AbortCause, string> = {
  timeout: "the job ran longer than its timeout",
  canceled: "the job was canceled",
  lease_lost: "the lease was lost, and another worker may be running the job",
  shutdown: "the worker is shutting down",
};

/**
 * The `reason` of an aborted `ctx.signal`; `why` tells them apart.
 *
 * @example
 * if (ctx.signal.reason instanceof JobAborted && ctx.signal.reason.why === "shutdown") saveDraft();
 */
export class JobAborted extends Error {
  readonly why: AbortCause;

  constructor(why: AbortCause) {
    super(MESSAGES[why]);
    this.name = "JobAborted";
    this.why = why;
  }
}
