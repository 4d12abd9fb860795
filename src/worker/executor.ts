import type { JobError, JobOutcome } from "../db/jobs.js";
import type { Logger } from "../log.js";
import type { Attempt } from "./attempt.js";
import type { ContextFactory } from "./context.js";
import { Discard, RetryAfter } from "./control.js";
import { describeFailure, failure } from "./failure.js";
import { storableResult } from "./result.js";
import type { Route } from "./router.js";

/** How an attempt ended here: with an outcome to record, to be handed back, or no longer ours. */
export type Ending =
  | { readonly kind: "finished"; readonly outcome: JobOutcome }
  | { readonly kind: "released" }
  | { readonly kind: "dropped" };

export interface ExecutorDeps {
  route: Route;
  contexts: ContextFactory;
  timeoutSeconds: number;
  log: Logger;
}

/** Runs the handler of one attempt, under its deadline. */
export class Executor {
  readonly #deps: ExecutorDeps;

  constructor(deps: ExecutorDeps) {
    this.#deps = deps;
  }

  /**
   * Never rejects. At the deadline the job has failed at once: its signal is aborted, and what a
   * handler that ignores it does later no longer counts.
   */
  async run(attempt: Attempt): Promise<Ending> {
    const { log } = this.#deps;
    attempt.phase = "running";
    let deadline: NodeJS.Timeout | undefined;
    const cut = new Promise<Ending>((resolve) => {
      attempt.onAbandon(() => resolve({ kind: "released" }));
      deadline = setTimeout(
        () => {
          if (!attempt.signal.aborted) attempt.abort("timeout");
          resolve(this.#overdue(attempt));
        },
        this.#limit(attempt) * 1000,
      );
    });
    const ending = await Promise.race([this.#invoke(attempt), cut]);
    clearTimeout(deadline);
    attempt.phase = "settling";
    if (ending.kind === "dropped") log.warn(attempt.fields, "outcome dropped: no longer our job");
    return ending;
  }

  /** Seconds this attempt may take. */
  #limit({ job }: Attempt): number {
    return job.timeoutSeconds ?? this.#deps.timeoutSeconds;
  }

  async #invoke(attempt: Attempt): Promise<Ending> {
    const { route, contexts } = this.#deps;
    try {
      const value = await route(
        attempt.job.payload,
        contexts.caller(attempt),
        contexts.job(attempt),
      );
      return isLost(attempt) ? { kind: "dropped" } : this.#completed(attempt, value);
    } catch (thrown) {
      if (isLost(attempt)) return { kind: "dropped" };
      // What a handler throws because it was told to stop is no failure of the job.
      if (attempt.aborted === "shutdown") return { kind: "released" };
      return failed(attempt, describeFailure(thrown), control(thrown));
    }
  }

  #completed(attempt: Attempt, value: unknown): Ending {
    const result = storableResult(value);
    return { kind: "finished", outcome: { ...attempt.lease, status: "completed", result } };
  }

  #overdue(attempt: Attempt): Ending {
    const { log } = this.#deps;
    const timeoutSeconds = this.#limit(attempt);
    if (isLost(attempt)) return { kind: "dropped" };
    if (attempt.aborted === "shutdown") return { kind: "released" };
    log.warn(attempt.fields, `timed out after ${timeoutSeconds} s`);
    return failed(
      attempt,
      failure("Timeout", `the handler ran longer than its timeout of ${timeoutSeconds} s`),
    );
  }
}

const isLost = ({ aborted }: Attempt): boolean =>
  aborted === "lease_lost" || aborted === "canceled";

const failed = ({ lease }: Attempt, error: JobError, told: Control = {}): Ending => ({
  kind: "finished",
  outcome: { ...lease, status: "failed", error, ...told },
});

type Control = Pick<JobOutcome, "retryIn" | "discard">;

/** What a handler asked for by what it threw. */
function control(thrown: unknown): Control {
  if (thrown instanceof RetryAfter) return { retryIn: thrown.ms / 1000 };
  return thrown instanceof Discard ? { discard: true } : {};
}
