import type { ClaimedJob } from "../db/jobs.js";
import { jobKey } from "../targets/identity.js";
import { settle } from "../targets/outcome.js";
import { TargetSpec } from "../targets/schema.js";
import type { Targets } from "../targets/targets.js";
import type { Secrets } from "../targets/types.js";
import { invocationOf } from "../worker/agent.js";
import { AttemptFailed } from "../worker/control.js";
import type { Route } from "../worker/router.js";
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
  return async (job, caller, ctx) => {
    const spec = specOf(job);
    const { appId, jobId, cronId, scheduledFor, attempt, trigger, payload } = job;
    const sent = {
      ...{ appId, jobId, cronId, scheduledFor, attempt, trigger, payload, caller },
      key: jobKey(await identity(), jobId),
      invocation: invocationOf(job),
    };
    const context = { signal: ctx.signal, log: ctx.log, secrets: secretsOf(appId) };
    return settle(
      await breakers.guard(appId, targets.breakerKey(spec), () => targets.run(spec, sent, context)),
    );
  };
}

/** The target, in full: SQL has held only its outline to the rules. */
function specOf({ target }: ClaimedJob): TargetSpec {
  const parsed = TargetSpec.safeParse(target);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) =>
    ["target", ...path.map(String)].join(".").concat(": ", message),
  );
  throw new AttemptFailed("invalid_target", faults.join("; "), { final: true });
}
