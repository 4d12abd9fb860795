import type { z } from "zod";
import type { AgentInvocation, Caller, JobContext, JobLog } from "../worker/types.js";

/** What a target is told about the job it runs. */
export interface TargetJob extends Pick<
  JobContext,
  "appId" | "jobId" | "cronId" | "scheduledFor" | "attempt" | "trigger"
> {
  readonly payload: Readonly<Record<string, unknown>>;
  /** Who it is run for; null for nobody known. */
  readonly caller: Caller | null;
  /** What it asks of an agent. */
  readonly invocation: AgentInvocation;
  /** The same for every attempt of a job, and no other job's: see {@link jobKey}. */
  readonly key: string;
}

/** What an app keeps secret; bound to the app of the job. */
export interface Secrets {
  /** The value of a secret; undefined when the app has none of that name. */
  get(name: string): Promise<string | undefined>;
  /** The keys to sign with (`whsec_…`), the newest first; at most two, while one is replaced. */
  signing(): Promise<readonly string[]>;
}

export interface TargetContext {
  /** Aborted when the work is no longer wanted. */
  readonly signal: AbortSignal;
  /** Calls back once `signal` is aborted, without making one; at once where it was. */
  readonly whenAborted: (callback: () => void) => void;
  readonly log: JobLog;
  readonly secrets: Secrets;
}

/** Why an attempt failed: a stable word to tell failures apart by, and a sentence for people. */
export interface Failure {
  readonly class: string;
  readonly message: string;
}

/** The attempt did what was asked for. */
export interface Completed {
  readonly status: "completed";
  /** Kept as the job's result. */
  readonly result: unknown;
}

/** The attempt did not. */
export interface Failed {
  readonly status: "failed";
  readonly error: Failure;
  /** What is on record of the attempt all the same: an answer with the wrong status, say. */
  readonly result?: unknown;
  /** Whether another attempt can help; when not, the job fails whatever attempts it has left. */
  readonly retryable: boolean;
  /** Whether the target itself does not work, which opens its circuit breaker after a while. */
  readonly broken: boolean;
  /** When the target said how long to wait. */
  readonly retryAfterMs?: number;
}

export type Outcome = Completed | Failed;

/** One kind of place that a job may be sent to. */
export interface Target<Spec> extends AsyncDisposable {
  readonly type: string;
  /** What a cron or a job says about its target. */
  readonly schema: z.ZodType<Spec>;
  /**
   * Runs one attempt. Never rejects: whatever goes wrong is an outcome. It ends soon after the
   * signal is aborted, and by itself once the spec's own timeout is over.
   */
  run(spec: Spec, job: TargetJob, context: TargetContext): Promise<Outcome>;
  /** What breaks together: an app's attempts with the same key share a circuit breaker. */
  breakerKey(spec: Spec): string;
}
