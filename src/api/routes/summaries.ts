import { z } from "zod";
import { getCron } from "../../db/crons.js";
import { CRON_ORDERS, CRON_STATES, findCrons, summarizeCrons } from "../../db/summaries.js";
import { CarillonError } from "../../errors.js";
import { AppId } from "../../manifest/schema.js";
import { pageOf } from "../page.js";
import { defineRoute, reply } from "../route.js";
import { Count, toCount } from "../shapes/count.js";
import { TARGET, TargetType } from "../shapes/job-filter.js";
import { limitUpTo, OneCron } from "../shapes/scalars.js";
import { CronSummary, toCronSummary } from "../shapes/summary.js";

/** Slots that a strip shows unless told otherwise. */
const SLOTS = 30;

const States = z
  .string()
  .transform((text) => text.split(","))
  .pipe(z.array(z.enum(CRON_STATES)));

const Targets = z
  .string()
  .transform((text) => text.split(","))
  .pipe(z.array(TargetType));

/** What a page shows of crons, in one request. */
export const summaryRoutes = [
  defineRoute({
    method: "get",
    path: "/api/v1/cron-summaries",
    operationId: "listCronSummaries",
    summary: "List the crons of all apps one may read, each with how it is and how it went",
    permission: "authenticated",
    query: z.strictObject({
      limit: limitUpTo(200, 50),
      cursor: z.string().max(300).optional().describe("The nextCursor of the page before."),
      app: AppId.optional().describe("Only of this app."),
      q: z
        .string()
        .max(200)
        .optional()
        .describe("A part of the name, or of the schedule in words."),
      state: States.optional().describe("One or more states, joined by commas."),
      enabled: z.enum(["true", "false"]).optional(),
      timezone: z.string().max(100).optional().describe("Only of this time zone."),
      target: Targets.optional().describe(`${TARGET} Joined by commas.`),
      order: z
        .enum(CRON_ORDERS)
        .default("attention")
        .describe(
          "attention: failing, self-paused, denied and late ones first, then by next slot; name; next: by next slot; last: by the newest slot decided. Default: attention.",
        ),
    }),
    responses: {
      200: pageOf(CronSummary).extend({ count: Count.describe("Of all that the filters mean.") }),
    },
    handler: async ({ sql, query, principal }) => {
      const { limit, cursor, order, enabled, ...filter } = query;
      const page = await findCrons(
        sql,
        { ...filter, enabled: enabled === undefined ? undefined : enabled === "true" },
        { limit, cursor, order },
        principal,
      );
      const rows =
        page.crons.length === 0 ? [] : await summarizeCrons(sql, page.crons, SLOTS, principal);
      return reply(200, {
        items: rows.map(toCronSummary),
        nextCursor: page.nextCursor,
        count: toCount(page),
      });
    },
  }),
  defineRoute({
    method: "get",
    path: "/api/v1/apps/{appId}/crons/{id}/summary",
    operationId: "getCronSummary",
    summary: "Get a cron with how it is and how its newest slots went",
    permission: "app:{appId}:cron.read",
    params: OneCron,
    query: z.strictObject({ slots: limitUpTo(120, SLOTS) }),
    responses: { 200: CronSummary },
    handler: async ({ sql, params: { appId, id }, query, principal }) => {
      await getCron(sql, appId, id);
      const [row] = await summarizeCrons(sql, [id], query.slots, principal);
      // Gone in between.
      if (row === undefined) throw new CarillonError("cron_not_found", `no cron ${id}`);
      return reply(200, toCronSummary(row));
    },
  }),
];
