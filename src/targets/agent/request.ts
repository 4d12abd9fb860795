import type { HttpSpec } from "../http/schema.js";
import type { TargetJob } from "../types.js";
import type { AgentSpec } from "./schema.js";

/** Seconds an agent may take where its spec does not say. */
export const AGENT_TIMEOUT_SECONDS = 60;

/** The call that invokes an agent: what `onAgent` is given, as JSON. */
export function agentCall(spec: AgentSpec, job: TargetJob): HttpSpec {
  const { jobId, attempt, caller, invocation } = job;
  return {
    ...spec,
    type: "http",
    method: "POST",
    timeout: spec.timeout ?? AGENT_TIMEOUT_SECONDS,
    body: { ...invocation, jobId, attempt, caller },
  };
}
