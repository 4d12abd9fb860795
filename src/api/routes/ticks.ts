import { z } from "zod";
import { getCron } from "../../db/crons.js";
import { adminTick, backfillCron, listBackfills, listSlotJobs, listTicks } from "../../db/ticks.js";
import { Instant } from "../../schedules/schema.js";
import { defineRoute, reply } from "../route.js";
import { limitUpTo, OneCron, Time } from "../shapes/scalars.js";
import {
  Backfill,
  BackfillAnswer,
  Outcome,
  Tick,
  TickAnswer,
  toBackfill,
  toBackfillAnswer,
  toTick,
  toTickAnswer,
} from "../shapes/tick.js";

const ONE = "/api/v1/apps/{appId}/crons/{id}";

const OutcomeList = z
  .string()
  .transform((text) => text.split(","))
  .pipe(z.array(Outcome));

/** The ledger, and what adds to it on demand. */
export const tickRoutes = [
  defineRoute({
    method: "get",
    path: `${ONE}/ticks`,
    operationId: "listTicks",
    summary: "List the decided slots of a cron, newest first",
    permission: "app:{appId}:cron.read",
    alsoNeeds: [{ permission: "app:{appId}:job.read", when: "include=events" }],
    params: OneCron,
    query: z.strictObject({
      limit: limitUpTo(500, 50),
      cursor: Instant.optional().describe("The nextCursor of the page before."),
      outcome: OutcomeList.optional().describe("One or more outcomes, joined by commas."),
      from: Instant.optional().describe("Slots at or after this time."),
      to: Instant.optional().describe("Slots at or before this time."),
      include: z
        .literal("events")
        .optional()
        .describe("events: with each slot's job, what it is now and how it came to that."),
    }),
    responses: {
      200: z.strictObject({ items: z.array(Tick), nextCursor: Time.nullable() }),
    },
    handler: async ({ sql, params: { appId, id }, query, demand }) => {
      const { cursor, outcome, include, ...rest } = query;
      if (include !== undefined) demand("app:{appId}:job.read");
      await getCron(sql, appId, id);
      const rows = await listTicks(sql, id, { ...rest, before: cursor, outcomes: outcome });
      const jobs =
        include === undefined
          ? undefined
          : new Map((await listSlotJobs(sql, id, rows)).map((job) => [job.jobId, job]));
      const items = rows.map((row) => toTick(row, jobs));
      const more = rows.length === query.limit;
      return reply(200, { items, nextCursor: more ? (items.at(-1)?.scheduledFor ?? null) : null });
    },
  }),
  defineRoute({
    method: "post",
    path: `${ONE}/backfill`,
    operationId: "backfillCron",
    summary: "Enqueue the slots of a past range that have no tick yet, or list them",
    permission: "app:{appId}:cron.trigger",
    alsoNeeds: [{ permission: "app:{appId}:cron.manage_others", when: "another owns the cron" }],
    params: OneCron,
    body: z.strictObject({
      from: Instant.describe("Slots at or after this time."),
      to: Instant.describe("Slots at or before this time, which must not be in the future."),
      dryRun: z.boolean().default(false).describe("Only list them."),
      concurrency: z
        .int()
        .min(1)
        .max(1000)
        .default(1)
        .describe("Jobs of the backfill that may be queued or running at a time."),
    }),
    responses: {
      200: BackfillAnswer,
    },
    handler: async ({ sql, params: { appId, id }, body, principal }) =>
      reply(200, toBackfillAnswer(await backfillCron(sql, appId, id, body, principal))),
  }),
  defineRoute({
    method: "get",
    path: `${ONE}/backfills`,
    operationId: "listBackfills",
    summary: "List the newest backfills of a cron with their progress",
    permission: "app:{appId}:cron.read",
    params: OneCron,
    responses: { 200: z.array(Backfill) },
    handler: async ({ sql, params: { appId, id } }) => {
      await getCron(sql, appId, id);
      return reply(200, (await listBackfills(sql, id)).map(toBackfill));
    },
  }),
  defineRoute({
    method: "post",
    path: "/api/v1/admin/tick",
    operationId: "tick",
    summary: "Tick once: for tests, and for schedulers outside",
    permission: "system:tick",
    responses: {
      200: TickAnswer,
    },
    handler: async ({ sql, principal }) =>
      reply(200, toTickAnswer(await adminTick(sql, principal.permissions))),
  }),
];
