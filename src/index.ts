/**
 * Carillon's public entry: what an app's worker needs, and the client of the API.
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
  CheckedJob,
  Enqueue,
  EnqueueOptions,
  Hooks,
  JobContext,
  JobHandler,
  JobLog,
  JobMap,
  Log,
  StartContext,
  Worker,
} from "./worker/types.js";
// All of it, so that a program can declare its Jobs in this module.
export * from "./worker/declared.js";
export type { JobInfo, WorkerEvents } from "./worker/events.js";
export type { SchemaIssue, StandardSchema } from "./worker/standard-schema.js";
export { InvalidPayload } from "./worker/router.js";
export { type AbortCause, JobAborted } from "./worker/abort.js";
export { Discard, discard, RetryAfter, retryAfter } from "./worker/control.js";
export type { JobError, JobOptions, JobTrigger } from "./db/jobs.js";
export { connect, type ConnectOptions, type JsonObject, type Sql } from "./db/connect.js";
export {
  CarillonError,
  type ErrorCode,
  type ErrorDetails,
  ERRORS,
  type FieldError,
} from "./errors.js";
export type { Logger } from "./log.js";
export {
  CarillonApiError,
  type CarillonClient,
  CarillonConnectionError,
  type ClientOptions,
  createClient,
  type RequestOptions,
  verifyWebhook,
  WebhookVerificationError,
} from "./client/index.js";
