import type { JsonObject } from "../db/connect.js";
import type { ClaimedJob } from "../db/jobs.js";
import { invocationOf } from "./agent.js";
import type { AttemptContext } from "./context.js";
import { Discard } from "./control.js";
import {
  issuePath,
  type SchemaIssue,
  type SchemaResult,
  type StandardSchema,
} from "./standard-schema.js";
import type { AgentHandler, Caller, Hooks, JobContext } from "./types.js";

/** Runs the handler a job belongs to. */
export type Route = (job: ClaimedJob, caller: Caller | null, ctx: AttemptContext) => unknown;

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

/** The payload did not pass its schema: no further attempt would. */
export class InvalidPayload extends Discard {
  readonly issues: readonly SchemaIssue[];

  constructor(method: string, issues: readonly SchemaIssue[]) {
    const faults = issues.map((issue) => `${issuePath(issue) || "the payload"}: ${issue.message}`);
    super(`the payload of "${method}" is not valid: ${faults.join("; ")}`);
    this.name = "InvalidPayload";
    this.issues = issues;
  }
}

/** Which handler a job goes to, from the hooks. */
export function createRoute({ onJob, onAgent }: Pick<Hooks, "onJob" | "onAgent">): Route {
  const run = typeof onJob === "object" ? byMethod(onJob) : (onJob as Handler | undefined);
  const job: Route | undefined = run && (({ payload }, caller, ctx) => run(payload, caller, ctx));
  if (onAgent === undefined) {
    if (job === undefined) throw new Error("a worker needs onJob or onAgent");
    return job;
  }
  const agent = toAgent(onAgent);
  return (claimed, caller, ctx) =>
    (claimed.cronId !== null || job === undefined ? agent : job)(claimed, caller, ctx);
}

type Handler = (payload: JsonObject, caller: Caller | null, ctx: JobContext) => unknown;

interface Checked {
  readonly schema: StandardSchema;
  readonly run: (payload: unknown, caller: Caller | null, ctx: JobContext) => unknown;
}

type Entries = Readonly<Record<string, Handler | Checked>>;

function byMethod(entries: Entries): Handler {
  const handlers = new Map(
    Object.entries(entries).map(([method, entry]) => [
      method,
      typeof entry === "function" ? entry : checked(method, entry),
    ]),
  );
  return (payload, caller, ctx) => {
    const { method } = payload;
    const handler = typeof method === "string" ? handlers.get(method) : undefined;
    if (handler === undefined) throw new UnknownMethod(method, [...handlers.keys()]);
    return handler(payload, caller, ctx);
  };
}

function checked(method: string, { schema, run }: Checked): Handler {
  const accepted = (result: SchemaResult<unknown>) => {
    if (result.issues !== undefined) throw new InvalidPayload(method, result.issues);
    return result.value;
  };
  return (payload, caller, ctx) => {
    const result = schema["~standard"].validate(payload);
    return result instanceof Promise
      ? result.then((later) => run(accepted(later), caller, ctx))
      : run(accepted(result), caller, ctx);
  };
}

const toAgent =
  (onAgent: AgentHandler): Route =>
  (job, caller, ctx) =>
    onAgent(invocationOf(job), caller, ctx);
