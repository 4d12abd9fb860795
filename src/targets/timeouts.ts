import { AGENT_TIMEOUT_SECONDS } from "./agent/request.js";
import { DEFAULT_TIMEOUT_SECONDS } from "./container/create.js";

/** Seconds each may take that does not say, as the adapters have it. */
const OWN: Readonly<Record<string, number>> = {
  http: 10,
  agent: AGENT_TIMEOUT_SECONDS,
  faktory: 10,
  container: DEFAULT_TIMEOUT_SECONDS,
};

/** Seconds beyond that: for what comes before and after, such as pulling an image. */
const BEYOND: Readonly<Record<string, number>> = { container: 900 };
const USUALLY_BEYOND = 30;

/**
 * Seconds a job with this target may take where the job does not say: always more than the target
 * itself may, so that it is the target that says what took too long.
 */
export function jobSeconds(target: { type: string; timeout?: unknown }): number {
  const { type, timeout } = target;
  const own = typeof timeout === "number" && timeout > 0 ? timeout : (OWN[type] ?? 0);
  return own + (BEYOND[type] ?? USUALLY_BEYOND);
}
