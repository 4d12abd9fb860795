import { hash } from "node:crypto";
import type { ClaimedJob } from "../db/jobs.js";
import type { AgentInvocation } from "./types.js";

/** What an agent is told where its cron's payload has no message. */
export const DEFAULT_MESSAGE = "Scheduled invocation";

/** What a job asks of an agent. */
export function invocationOf(job: ClaimedJob): AgentInvocation {
  const { appId, cronId, scheduledFor, trigger, payload } = job;
  const { message } = payload;
  return {
    message: typeof message === "string" && message !== "" ? message : DEFAULT_MESSAGE,
    sessionId: sessionOf(job),
    ...{ appId, cronId, scheduledFor, trigger, payload },
  };
}

/** A UUID (of version 8): the same for all attempts of a job, and no other job's. */
function sessionOf({ appId, jobId, enqueuedAt }: ClaimedJob): string {
  const digest = hash("sha256", `${appId} ${jobId} ${enqueuedAt.toISOString()}`, "hex");
  const [a, b, c, d] = [
    digest.slice(0, 8),
    digest.slice(8, 12),
    digest.slice(13, 16),
    digest.slice(17, 20),
  ];
  return `${a}-${b}-8${c}-a${d}-${digest.slice(20, 32)}`;
}
