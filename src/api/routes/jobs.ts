import { z } from "zod";
import { getApp } from "../../db/apps.js";
import * as jobs from "../../db/jobs.js";
import { JOB_OPTIONS } from "../../manifest/job-options.js";
import { Payload } from "../../manifest/schema.js";
import { Instant } from "../../schedules/schema.js";
import { defineRoute, reply } from "../route.js";
import { Job, toJob } from "../shapes/job.js";
import { InApp, limitUpTo, MsgId, OneJob, Uuid } from "../shapes/scalars.js";

const ALL = "/api/v1/apps/{appId}/jobs";

const NewJob = z
  .strictObject({
    payload: Payload.nullish(),
    userId: Uuid.nullish().describe("On whose behalf it runs. Default: the caller."),
    user_id: Uuid.nullish().describe("The same as userId, as RootCX spells it."),
    runAt: Instant.nullish().describe("Not before this time. Default: at once."),
    idempotencyKey: z
      .string()
      .min(1)
      .max(255)
      .nullish()
      .describe("The same key and body within 24 hours give the same job; another body is 409."),
    ...JOB_OPTIONS,
    expiresAt: Instant.nullish().describe("A job not started by then is canceled."),
  })
  .refine(({ userId, user_id }) => userId == null || user_id == null || userId === user_id, {
    error: "differs from userId; give only one of them",
    path: ["user_id"],
  })
  .optional();

const JobList = z
  .strictObject({
    status: z
      .enum(["live", "finished"])
      .optional()
      .describe("live: still in the queue (the default); finished: from the history."),
    archived: z
      .enum(["true", "false"])
      .optional()
      .describe("true means status=finished, as RootCX spells it."),
    cronId: Uuid.optional().describe("Only jobs of this cron."),
    limit: limitUpTo(1000, 100),
  })
  .refine(
    ({ status, archived }) =>
      status === undefined ||
      archived === undefined ||
      (status === "finished") === (archived === "true"),
    { error: "contradicts status; give only one of them", path: ["archived"] },
  );

/** Every job endpoint. */
export const jobRoutes = [
  defineRoute({
    method: "post",
    path: ALL,
    summary: "Enqueue a job",
    permission: "app:{appId}:invoke",
    alsoNeeds: [{ permission: "app:{appId}:act_as", when: "userId names somebody else" }],
    params: InApp,
    body: NewJob,
    responses: { 201: z.strictObject({ msgId: MsgId }) },
    handler: async ({ sql, params: { appId }, body, principal, demand }) => {
      const userId = (body?.userId ?? body?.user_id ?? principal.principalId).toLowerCase();
      if (userId !== principal.principalId) demand("app:{appId}:act_as");
      const { payload, ...options } = body ?? {};
      const msgId = await jobs.enqueueJob(sql, appId, payload ?? {}, { ...options, userId });
      return reply(201, { msgId });
    },
  }),
  defineRoute({
    method: "get",
    path: ALL,
    summary: "List the jobs of an app, newest first: the live ones, or the finished ones",
    permission: "app:{appId}:job.read",
    params: InApp,
    query: JobList,
    responses: { 200: z.array(Job) },
    handler: async ({ sql, params: { appId }, query }) => {
      await getApp(sql, appId);
      const rows = await jobs.listJobs(sql, appId, {
        finished: query.status === "finished" || query.archived === "true",
        cronId: query.cronId,
        limit: query.limit,
      });
      return reply(200, rows.map(toJob));
    },
  }),
  defineRoute({
    method: "get",
    path: `${ALL}/{id}`,
    summary: "Get a job, live or finished",
    permission: "app:{appId}:job.read",
    params: OneJob,
    responses: { 200: Job },
    handler: async ({ sql, params: { appId, id } }) => {
      const row = await jobs.getJob(sql, appId, id);
      return reply(200, toJob(row));
    },
  }),
  defineRoute({
    method: "patch",
    path: `${ALL}/{id}`,
    summary: "Change when a waiting job is due",
    permission: "app:{appId}:job.write",
    params: OneJob,
    body: z.strictObject({ runAt: Instant.describe("Not before this time; the past means now.") }),
    responses: { 200: Job },
    handler: async ({ sql, params: { appId, id }, body, principal }) =>
      reply(200, toJob(await jobs.moveJob(sql, appId, id, body.runAt, principal))),
  }),
  defineRoute({
    method: "post",
    path: `${ALL}/{id}/cancel`,
    summary: "Cancel a waiting or running job",
    permission: "app:{appId}:job.write",
    params: OneJob,
    body: z
      .strictObject({
        reason: z.string().min(1).max(1000).nullish().describe("Kept with the job."),
      })
      .optional(),
    responses: { 200: Job },
    handler: async ({ sql, params: { appId, id }, body, principal }) =>
      reply(200, toJob(await jobs.cancelJob(sql, appId, id, body?.reason, principal))),
  }),
  defineRoute({
    method: "post",
    path: `${ALL}/{id}/retry`,
    summary: "Run a job that has ended again, as a new job that links to it",
    permission: "app:{appId}:job.write",
    params: OneJob,
    responses: { 201: z.strictObject({ msgId: MsgId }) },
    handler: async ({ sql, params: { appId, id }, principal }) =>
      reply(201, { msgId: await jobs.retryJob(sql, appId, id, principal) }),
  }),
];
