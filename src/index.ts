/**
 * Carillon's public entry: what an app's worker needs.
 *
 * @example
 * import { serve } from "carillon";
 *
 * serve({}, { onJob: async (payload, caller, ctx) => ({ checked: true }) });
 *
 * @module
 */
export { serve } from "./worker/serve.js";
export type { ServeOptions } from "./worker/options.js";
export type {
  AgentHandler,
  Caller,
  Enqueue,
  EnqueueOptions,
  Hooks,
  JobContext,
  JobHandler,
  JobLog,
  Log,
  StartContext,
  Worker,
} from "./worker/types.js";
export { type AbortCause, JobAborted } from "./worker/abort.js";
export { Discard, discard, RetryAfter, retryAfter } from "./worker/control.js";
export type { JobOptions, JobTrigger } from "./db/jobs.js";
export { connect, type ConnectOptions, type JsonObject, type Sql } from "./db/connect.js";
export {
  CarillonError,
  type ErrorCode,
  type ErrorDetails,
  ERRORS,
  type FieldError,
} from "./errors.js";
export type { Logger } from "./log.js";
