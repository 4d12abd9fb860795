import type { Input, Output } from "carillon/client";

/** A job as lists show it. */
export type ListedJob = Output<"GET /api/v1/apps/{appId}/jobs">["items"][number];

/** One job, with the jobs it is linked to. */
export type Job = Output<"GET /api/v1/apps/{appId}/jobs/{id}">;

export type JobStatus = ListedJob["status"];
export type Attempt = ListedJob["attempts"][number];

/** Which jobs many are changed at once. */
export type JobFilter = Input<"POST /api/v1/apps/{appId}/jobs/cancel">["filter"];

/** What is not over yet, and what is. */
export const LIVE = ["running", "queued", "pending"] as const satisfies readonly JobStatus[];
export const ENDED = ["failed", "completed", "canceled"] as const satisfies readonly JobStatus[];
export const STATUSES = [...LIVE, ...ENDED] as const;

export const TRIGGERS = [
  "automatic",
  "manual",
  "api",
] as const satisfies readonly ListedJob["trigger"][];

export const TRIGGER_WORDS = { automatic: "schedule", manual: "by hand", api: "API" } as const;

/** Whether the worker of an attempt fell silent, so that its lease ran out. */
export const isLost = ({ error }: Attempt): boolean =>
  typeof error === "object" && error !== null && "name" in error && error.name === "LeaseLost";

export const isLive = (status: JobStatus): boolean => LIVE.some((one) => one === status);
