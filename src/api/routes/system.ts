import { z } from "zod";
import { cloneStatus, pgCronStatus, releaseClone } from "../../db/system.js";
import { defineRoute, reply } from "../route.js";
import { Time } from "../shapes/scalars.js";

const Place = z.strictObject({ systemIdentifier: z.string(), database: z.string() });

const Clone = z.strictObject({
  home: Place.describe("The database the schedules were made for."),
  here: Place,
  clone: z.boolean().describe("This is a copy of it, or it has moved."),
  onClone: z.enum(["warn", "hold"]).describe("What a copy does: fire all the same, or nothing."),
  held: z.boolean(),
});

const System = z.strictObject({
  pgCron: z.strictObject({
    available: z.string().nullable().describe("Version the server could install."),
    loaded: z.boolean(),
    database: z.string().nullable().describe("The one database pg_cron lives in."),
    driving: z.string().nullable().describe("Version that drives; null while the ticker does."),
    lastSeenAt: Time.nullable().describe("When it last swept; null while it does not drive."),
    stuck: z.boolean().describe("It should drive and does not."),
    beats: z.int(),
  }),
  clone: Clone,
});

/** The installation as such. */
export const systemRoutes = [
  defineRoute({
    method: "get",
    path: "/api/v1/system",
    operationId: "getSystem",
    summary: "What drives the schedules, and whether this database is a copy",
    permission: "system:read",
    responses: { 200: System },
    handler: async ({ sql }) => {
      const [pgCron, clone] = await Promise.all([pgCronStatus(sql), cloneStatus(sql)]);
      const seen = pgCron.lastSeenAt === null ? null : new Date(pgCron.lastSeenAt).toISOString();
      return reply(200, { pgCron: { ...pgCron, lastSeenAt: seen }, clone });
    },
  }),
  defineRoute({
    method: "post",
    path: "/api/v1/admin/release",
    operationId: "releaseClone",
    summary: "Make this database the home of its schedules, so that they fire here",
    permission: "system:release",
    responses: { 200: Clone },
    handler: async ({ sql, principal }) => reply(200, await releaseClone(sql, principal)),
  }),
];
