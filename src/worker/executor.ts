import type { ClaimedJob, JobError, JobOutcome } from "../db/jobs.js";
import type { Logger } from "../log.js";
import type { Attempt } from "./attempt.js";
import type { ContextFactory } from "./context.js";
import { AttemptFailed, Discard, type FailureTerms, RetryAfter } from "./control.js";
import { Deadlines } from "./deadlines.js";
import { describeFailure, failure } from "./failure.js";
import { storableResult } from "./result.js";
import type { Route } from "./router.js";

/** How an attempt ended here: with an outcome to record, to be handed back, or no longer ours. */
export type Ending =
  | { readonly kind: "finished"; readonly outcome: JobOutcome }
  | { readonly kind: "released" }
  | { readonly kind: "dropped" };

/** Is told how an attempt ended, once. */
export type OnEnded = (attempt: Attempt, ending: Ending) => void;

export interface ExecutorDeps {
  route: Route;
  contexts: Pick<ContextFactory, "caller" | "job">;
  /** Seconds a job may take that does not say. */
  timeoutOf: (job: ClaimedJob) => number;
  log: Logger;
}

/** Runs the handlers of attempts, each under its deadline. */
export class Executor {
  readonly #deps: ExecutorDeps;
  readonly #deadlines = new Deadlines<Attempt>((attempt) => attempt.cut("overdue"));

  constructor(deps: ExecutorDeps) {
    this.#deps = deps;
  }

  /**
   * Runs the handler; one that returns no promise has ended when this returns. Never throws. At the
   * deadline the job has failed at once: its signal is aborted, and what a handler that ignores it
   * does later no longer counts.
   */
  run(attempt: Attempt, onEnded: OnEnded): void {
    attempt.phase = "running";
    attempt.startedAt = performance.now();
    let returned: unknown;
    try {
      returned = this.#invoke(attempt);
      if (isPromise(returned)) {
        this.#await(attempt, Promise.resolve(returned), onEnded);
        return;
      }
    } catch (thrown) {
      this.#end(attempt, threw(attempt, thrown), onEnded);
      return;
    }
    this.#end(attempt, this.#returned(attempt, returned), onEnded);
  }

  #invoke(attempt: Attempt): unknown {
    const { route, contexts } = this.#deps;
    return route(attempt.job, contexts.caller(attempt), contexts.job(attempt));
  }

  #await(attempt: Attempt, promise: Promise<unknown>, onEnded: OnEnded): void {
    const ms = this.#limit(attempt) * 1000;
    const end = (ending: () => Ending) => {
      if (attempt.phase !== "running") return;
      this.#deadlines.drop(attempt, ms);
      this.#end(attempt, ending(), onEnded);
    };
    attempt.onCut((cut) =>
      end(() => (cut === "overdue" ? this.#overdue(attempt) : { kind: "released" })),
    );
    this.#deadlines.set(attempt, ms);
    promise.then(
      (value) => end(() => this.#returned(attempt, value)),
      (thrown: unknown) => end(() => threw(attempt, thrown)),
    );
  }

  #end(attempt: Attempt, ending: Ending, onEnded: OnEnded): void {
    attempt.phase = "settling";
    attempt.ms = performance.now() - attempt.startedAt;
    if (ending.kind === "dropped") {
      this.#deps.log.warn(attempt.fields, "outcome dropped: no longer our job");
    }
    onEnded(attempt, ending);
  }

  /** Seconds this attempt may take. */
  #limit({ job }: Attempt): number {
    return job.timeoutSeconds ?? this.#deps.timeoutOf(job);
  }

  #returned(attempt: Attempt, value: unknown): Ending {
    if (isLost(attempt)) return { kind: "dropped" };
    const { jobId, attempt: delivery } = attempt.job;
    try {
      const { result, resultJson } = storableResult(value);
      return {
        kind: "finished",
        outcome: { jobId, attempt: delivery, status: "completed", result, resultJson },
      };
    } catch (unstorable) {
      return threw(attempt, unstorable);
    }
  }

  #overdue(attempt: Attempt): Ending {
    const { log } = this.#deps;
    const timeoutSeconds = this.#limit(attempt);
    attempt.abort("timeout");
    if (isLost(attempt)) return { kind: "dropped" };
    if (attempt.aborted === "shutdown") return { kind: "released" };
    log.warn(attempt.fields, `timed out after ${timeoutSeconds} s`);
    return failed(
      attempt,
      failure("Timeout", `the handler ran longer than its timeout of ${timeoutSeconds} s`),
    );
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    "then" in value &&
    typeof value.then === "function"
  );
}

const isLost = ({ aborted }: Attempt): boolean =>
  aborted === "lease_lost" || aborted === "canceled";

function threw(attempt: Attempt, thrown: unknown): Ending {
  if (isLost(attempt)) return { kind: "dropped" };
  // What a handler throws because it was told to stop is no failure of the job.
  if (attempt.aborted === "shutdown") return { kind: "released" };
  return failed(attempt, describeFailure(thrown), control(thrown));
}

const failed = ({ lease }: Attempt, error: JobError, told: Control = {}): Ending => ({
  kind: "finished",
  outcome: { ...lease, status: "failed", error, ...told },
});

type Control = Pick<JobOutcome, "result" | "resultJson" | "retryIn" | "wait" | "discard">;

/** What a handler asked for by what it threw. */
function control(thrown: unknown): Control {
  if (thrown instanceof RetryAfter) return { retryIn: thrown.ms / 1000 };
  if (thrown instanceof AttemptFailed) return termsOf(thrown.terms);
  return thrown instanceof Discard ? { discard: true } : {};
}

function termsOf({ result, waitMs, final }: FailureTerms): Control {
  return {
    ...(result === undefined ? {} : storableOrNothing(result)),
    ...(waitMs === undefined ? {} : { wait: waitMs / 1000 }),
    ...(final === true ? { discard: true } : {}),
  };
}

/** What cannot be kept must not hide why the attempt failed. */
function storableOrNothing(result: unknown): Control {
  try {
    return storableResult(result);
  } catch {
    return {};
  }
}
