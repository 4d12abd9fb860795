import { z } from "zod";
import { getApp } from "../../db/apps.js";
import * as jobs from "../../db/jobs.js";
import { Payload } from "../../manifest/schema.js";
import { Instant } from "../../schedules/schema.js";
import { TargetSpec } from "../../targets/schema.js";
import { defineRoute, reply } from "../route.js";
import { JOB_FILTER_QUERY } from "../shapes/job-filter.js";
import { Job, JobInFull, NEW_JOB } from "../shapes/job.js";
import { showJob, showJobs } from "../show-jobs.js";
import { Count } from "../shapes/count.js";
import { InApp, limitUpTo, MsgId, OneJob, Uuid } from "../shapes/scalars.js";

const ALL = "/api/v1/apps/{appId}/jobs";

const NewJob = z
  .strictObject({
    ...NEW_JOB,
    userId: Uuid.nullish().describe("On whose behalf it runs. Default: the caller."),
    user_id: Uuid.nullish().describe("The same as userId, as RootCX spells it."),
  })
  .refine(({ userId, user_id }) => userId == null || user_id == null || userId === user_id, {
    error: "differs from userId; give only one of them",
    path: ["user_id"],
  })
  .optional();

const JobPatch = z.strictObject({
  runAt: Instant.optional().describe("Not before this time; the past means now."),
  payload: Payload.nullish().describe("In place of its payload; null: {}."),
  target: TargetSpec.nullish().describe("Where it goes; null: to the app's workers."),
});
const JobList = z
  .strictObject({
    ...JOB_FILTER_QUERY,
    archived: z
      .enum(["true", "false"])
      .optional()
      .describe("true means status=finished and false status=live, as RootCX spells it."),
    sort: z
      .enum(jobs.JOB_SORTS)
      .default("newest")
      .describe(
        "newest or oldest, in the order of enqueuing; due: jobs that wait, by the time they are due. Default: newest.",
      ),
    cursor: z.string().max(200).optional().describe("The nextCursor of the page before."),
    limit: limitUpTo(1000, 100),
    count: z
      .enum(["true", "false"])
      .optional()
      .describe("Count what the filters mean, too. Default: false."),
  })
  .refine(({ status, archived }) => status === undefined || archived === undefined, {
    error: "says the same as status; give only one of them",
    path: ["archived"],
  });

const ARCHIVED = { true: "finished", false: "live" } as const;

/** Every job endpoint. */
export const jobRoutes = [
  defineRoute({
    method: "post",
    path: ALL,
    operationId: "enqueueJob",
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
    operationId: "listJobs",
    summary: "List the jobs of an app, live and finished, by filters and in an order that stays",
    permission: "app:{appId}:job.read",
    params: InApp,
    query: JobList,
    responses: {
      200: z.strictObject({
        items: z.array(Job),
        nextCursor: z
          .string()
          .nullable()
          .describe("Of the next page; a short or empty page may have one. null after the last."),
        count: Count.optional().describe("Of all that the filters mean, with count=true."),
      }),
    },
    handler: async ({ sql, params: { appId }, query, principal }) => {
      const { archived, sort, cursor, limit, count, ...filter } = query;
      await getApp(sql, appId);
      const status = archived === undefined ? filter.status : [ARCHIVED[archived]];
      const meant = { ...filter, status };
      const [page, counted] = await Promise.all([
        jobs.pageJobs(sql, appId, { ...{ sort, cursor, limit }, filter: meant }),
        count === "true" ? jobs.countJobs(sql, appId, meant) : undefined,
      ]);
      const items = await showJobs(sql, page.items, principal);
      return reply(200, { items, nextCursor: page.nextCursor, count: counted });
    },
  }),
  defineRoute({
    method: "get",
    path: `${ALL}/{id}`,
    operationId: "getJob",
    summary: "Get a job, live or finished, with its attempts and the jobs it is linked to",
    permission: "app:{appId}:job.read",
    params: OneJob,
    responses: { 200: JobInFull },
    handler: async ({ sql, params: { appId, id }, principal }) => {
      const row = await jobs.getJob(sql, appId, id);
      const shown = await showJob(sql, row, principal);
      return reply(200, { ...shown, retriedBy: await jobs.retriedBy(sql, id) });
    },
  }),
  defineRoute({
    method: "patch",
    path: `${ALL}/{id}`,
    operationId: "updateJob",
    summary: "Change when a waiting job is due or, before its first attempt, what it does",
    permission: "app:{appId}:job.write",
    params: OneJob,
    body: JobPatch,
    responses: { 200: Job },
    handler: async ({ sql, params: { appId, id }, body, principal }) =>
      reply(
        200,
        await showJob(sql, await jobs.updateJob(sql, appId, id, body, principal), principal),
      ),
  }),
  defineRoute({
    method: "post",
    path: `${ALL}/{id}/cancel`,
    operationId: "cancelJob",
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
      reply(
        200,
        await showJob(
          sql,
          await jobs.cancelJob(sql, appId, id, body?.reason, principal),
          principal,
        ),
      ),
  }),
  defineRoute({
    method: "post",
    path: `${ALL}/{id}/retry`,
    operationId: "retryJob",
    summary: "Run a job that has ended again, as a new job that links to it",
    permission: "app:{appId}:job.write",
    params: OneJob,
    responses: { 201: z.strictObject({ msgId: MsgId }) },
    handler: async ({ sql, params: { appId, id }, principal }) =>
      reply(201, { msgId: await jobs.retryJob(sql, appId, id, principal) }),
  }),
];
