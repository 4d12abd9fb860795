import type { JsonObject } from "../db/connect.js";
import type { AgentHandler, Caller, Hooks, JobContext, JobHandler } from "./types.js";

/** Runs the handler a job belongs to. */
export type Route = (payload: JsonObject, caller: Caller | null, ctx: JobContext) => unknown;

/** The job names a method this worker has no handler for. */
export class UnknownMethod extends Error {
  constructor(method: unknown, known: readonly string[]) {
    const what =
      typeof method === "string"
        ? `no handler for the method "${method}"`
        : "payload.method is missing, and onJob is a map by method";
    super(`${what}; this worker has: ${known.join(", ") || "none"}`);
    this.name = "UnknownMethod";
  }
}

/** Which handler a job goes to, from the hooks. */
export function createRoute({ onJob, onAgent }: Hooks): Route {
  const job = typeof onJob === "object" ? byMethod(onJob) : onJob;
  if (onAgent === undefined) {
    if (job === undefined) throw new Error("a worker needs onJob or onAgent");
    return job;
  }
  const agent = toAgent(onAgent);
  return (payload, caller, ctx) =>
    (ctx.cronId !== null || job === undefined ? agent : job)(payload, caller, ctx);
}

function byMethod(handlers: Record<string, JobHandler>): Route {
  return (payload, caller, ctx) => {
    const { method } = payload;
    const handler =
      typeof method === "string" && Object.hasOwn(handlers, method) ? handlers[method] : undefined;
    if (handler === undefined) throw new UnknownMethod(method, Object.keys(handlers));
    return handler(payload, caller, ctx);
  };
}

const toAgent =
  (onAgent: AgentHandler): Route =>
  ({ message }, caller, ctx) =>
    onAgent(
      typeof message === "string" && message !== "" ? message : "Scheduled invocation",
      caller,
      ctx,
    );
