/**
 * A client of Carillon's API, for Node 20 and browsers.
 *
 * @module
 */
import type { Input, Output } from "./signatures.js";

export { createClient, type CarillonClient } from "./client.js";
export type { Download } from "./download.js";
export {
  type ApiErrorCode,
  CarillonApiError,
  CarillonConnectionError,
  type ProblemDocument,
} from "./errors.js";
export type { EventFeed } from "./events.js";
export type { Listing, Page } from "./listing.js";
export type { ClientOptions, RequestOptions } from "./settings.js";
export type { Input, Output, RouteKey } from "./signatures.js";
export {
  verifyWebhook,
  type VerifyOptions,
  WebhookVerificationError,
} from "../targets/http/verify.js";

export type App = Output<"GET /api/v1/apps">[number];
export type AppChanges = Input<"PATCH /api/v1/apps/{appId}">;
export type Cron = Output<"GET /api/v1/apps/{appId}/crons/{id}">;
export type NewCron = Input<"POST /api/v1/apps/{appId}/crons">;
export type CronChanges = Input<"PATCH /api/v1/apps/{appId}/crons/{id}">;
export type Tick = Output<"GET /api/v1/apps/{appId}/crons/{id}/ticks">["items"][number];
export type Run = Output<"GET /api/v1/apps/{appId}/crons/{id}/runs">[number];
export type Backfill = Output<"GET /api/v1/apps/{appId}/crons/{id}/backfills">[number];
export type Job = Output<"GET /api/v1/apps/{appId}/jobs/{id}">;
export type NewJob = Input<"POST /api/v1/apps/{appId}/jobs">;
export type DeadLetter = Output<"GET /api/v1/apps/{appId}/dead-letters">["items"][number];
export type LogLine = Output<"GET /api/v1/apps/{appId}/jobs/{id}/logs">["items"][number];
export type Manifest = Input<"PUT /api/v1/apps/{appId}/manifest">;
export type Principal = Output<"GET /api/v1/principals/{id}">;
export type Role = Output<"GET /api/v1/roles/{name}">;
export type ApiKey = Output<"GET /api/v1/keys">["items"][number];
