import type { Output } from "carillon/client";

/** A job as lists show it. */
export type ListedJob = Output<"GET /api/v1/apps/{appId}/jobs">["items"][number];
