import { z } from "zod";
import * as jobs from "../../db/jobs.js";
import { defineRoute, reply } from "../route.js";
import { JobFilter } from "../shapes/job-filter.js";
import { NEW_JOB } from "../shapes/job.js";
import { InApp, MsgId, Uuid } from "../shapes/scalars.js";

const ALL = "/api/v1/apps/{appId}/jobs";

const Batch = z.strictObject({
  jobs: z.array(z.strictObject(NEW_JOB)).min(1).max(10_000),
  userId: Uuid.nullish().describe("On whose behalf all of them run. Default: the caller."),
});

const BULK = {
  filter: JobFilter.describe("Which jobs are meant; {} means every one."),
  dryRun: z.boolean().default(false).describe("Only count, to 10 times the limit at most."),
  cursor: z.string().max(200).optional().describe("The nextCursor of the call before."),
  limit: z.int().min(1).max(1000).default(1000).describe("Jobs at most in this call."),
};

const BULK_ANSWER = {
  dryRun: z.boolean(),
  matched: z.int().describe("Jobs that were meant, of those this call looked at."),
  nextCursor: z
    .string()
    .nullable()
    .describe("There may be more: the cursor of the next call. null when all is done."),
};

/** Endpoints about many jobs at once, each call bounded. */
export const jobBulkRoutes = [
  defineRoute({
    method: "post",
    path: `${ALL}/batch`,
    operationId: "enqueueJobs",
    summary: "Enqueue many jobs, all or none",
    permission: "app:{appId}:invoke",
    alsoNeeds: [{ permission: "app:{appId}:act_as", when: "userId names somebody else" }],
    params: InApp,
    body: Batch,
    responses: { 201: z.strictObject({ msgIds: z.array(MsgId) }) },
    handler: async ({ sql, params: { appId }, body, principal, demand }) => {
      const userId = (body.userId ?? principal.principalId).toLowerCase();
      if (userId !== principal.principalId) demand("app:{appId}:act_as");
      return reply(201, { msgIds: await jobs.enqueueJobs(sql, appId, body.jobs, userId) });
    },
  }),
  defineRoute({
    method: "post",
    path: `${ALL}/cancel`,
    operationId: "cancelJobs",
    summary: "Cancel the live jobs that a filter means, newest first",
    permission: "app:{appId}:job.write",
    params: InApp,
    body: z.strictObject({
      ...BULK,
      reason: z.string().min(1).max(1000).nullish().describe("Kept with the jobs."),
    }),
    responses: { 200: z.strictObject({ ...BULK_ANSWER, canceled: z.int() }) },
    handler: async ({ sql, params: { appId }, body, principal }) =>
      reply(200, await jobs.cancelJobs(sql, appId, body, principal)),
  }),
  defineRoute({
    method: "post",
    path: `${ALL}/retry`,
    operationId: "retryJobs",
    summary: "Run ended jobs that a filter means again, as new jobs that link to them",
    permission: "app:{appId}:job.write",
    params: InApp,
    body: z.strictObject(BULK),
    responses: {
      200: z.strictObject({
        ...BULK_ANSWER,
        retried: z.int(),
        skipped: z.int().describe("Jobs that have been run again already."),
        jobs: z.array(z.strictObject({ msgId: MsgId, retryOf: MsgId })),
      }),
    },
    handler: async ({ sql, params: { appId }, body, principal }) =>
      reply(200, await jobs.retryJobs(sql, appId, body, principal)),
  }),
];
