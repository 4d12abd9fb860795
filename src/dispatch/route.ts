import type { JsonObject } from "../db/connect.js";
import type { ClaimedJob, JobTrigger } from "../db/jobs.js";
import { jobKey } from "../targets/identity.js";
import { settle } from "../targets/outcome.js";
import { TargetSpec } from "../targets/schema.js";
import type { Targets } from "../targets/targets.js";
import type { Secrets, TargetContext, TargetJob } from "../targets/types.js";
import { invocationOf } from "../worker/agent.js";
import { AttemptFailed } from "../worker/control.js";
import type { Route } from "../worker/router.js";
import type { AgentInvocation, Caller } from "../worker/types.js";
import type { CircuitBreakers } from "./breaker.js";

export interface DispatchDeps {
  readonly targets: Pick<Targets, "run" | "breakerKey">;
  readonly breakers: Pick<CircuitBreakers, "guard">;
  /** What an app keeps secret. */
  readonly secretsOf: (appId: string) => Secrets;
  /** What tells this database apart from every other. */
  readonly identity: () => Promise<string>;
}

/** Sends a job where its target says; the outcome becomes the attempt's. */
export function createDispatch({ targets, breakers, secretsOf, identity }: DispatchDeps): Route {
  const specs = new Specs();
  return async (job, caller, ctx) => {
    const spec = specs.of(job);
    const { appId } = job;
    const sent = new SentJob(job, caller, await identity());
    const context: TargetContext = {
      // Not every target asks for these, and they are made when they are asked for.
      get signal() {
        return ctx.signal;
      },
      get log() {
        return ctx.log;
      },
      whenAborted: (callback) => ctx.whenAborted(callback),
      secrets: secretsOf(appId),
    };
    return settle(
      await breakers.guard(appId, targets.breakerKey(spec), () => targets.run(spec, sent, context)),
    );
  };
}

/** A job as its target is told of it. */
class SentJob implements TargetJob {
  readonly appId: string;
  readonly jobId: number;
  readonly cronId: string | null;
  readonly scheduledFor: Date | null;
  readonly attempt: number;
  readonly trigger: JobTrigger;
  readonly payload: JsonObject;
  readonly caller: Caller | null;
  readonly key: string;
  readonly #job: ClaimedJob;

  constructor(job: ClaimedJob, caller: Caller | null, system: string) {
    this.appId = job.appId;
    this.jobId = job.jobId;
    this.cronId = job.cronId;
    this.scheduledFor = job.scheduledFor;
    this.attempt = job.attempt;
    this.trigger = job.trigger;
    this.payload = job.payload;
    this.caller = caller;
    this.key = jobKey(system, job.jobId);
    this.#job = job;
  }

  /** For agents only, so made when asked for. */
  get invocation(): AgentInvocation {
    return invocationOf(this.#job);
  }
}

/** Characters of a target's JSON up to which it is remembered, and how many targets are. */
const MOST_CHARACTERS = 4096;
const MOST_SPECS = 1000;

/** Targets as they were parsed: thousands of jobs have the same, and to parse one takes longer than to send it. */
class Specs {
  readonly #known = new Map<string, TargetSpec>();

  of({ target }: ClaimedJob): TargetSpec {
    const text = JSON.stringify(target);
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const spec = parse(target);
    if (text.length <= MOST_CHARACTERS) {
      if (this.#known.size >= MOST_SPECS) this.#known.clear();
      this.#known.set(text, spec);
    }
    return spec;
  }
}

/** The target, in full: SQL has held only its outline to the rules. */
function parse(target: ClaimedJob["target"]): TargetSpec {
  const parsed = TargetSpec.safeParse(target);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) =>
    ["target", ...path.map(String)].join(".").concat(": ", message),
  );
  throw new AttemptFailed("invalid_target", faults.join("; "), { final: true });
}
