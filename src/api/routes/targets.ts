import { z } from "zod";
import * as breakers from "../../db/breakers.js";
import { pageOf, toPage } from "../page.js";
import { defineRoute, reply } from "../route.js";
import { InApp, limitUpTo, Time, timeOrNull } from "../shapes/scalars.js";

const ALL = "/api/v1/apps/{appId}/targets";

/** A target's key, of what breaks together. */
const Key = z.string().min(1).max(500);

const FailingTarget = z.strictObject({
  key: z
    .string()
    .describe("What breaks together: an HTTP origin, a Faktory instance, a container's image."),
  state: z
    .enum(["closed", "open", "half-open"])
    .describe("closed: calls are made. open: none is. half-open: one call probes."),
  failures: z.int().describe("How often in a row it was broken."),
  openedAt: Time.nullable().describe("Since when no calls are made."),
  nextProbeAt: Time.nullable().describe("When one call may find out whether it works again."),
  lastError: z.strictObject({ class: z.string(), message: z.string(), at: Time }),
});

const toTarget = (row: breakers.TargetRow): z.input<typeof FailingTarget> => ({
  key: row.key,
  state: row.state,
  failures: row.failures,
  openedAt: timeOrNull(row.openedAt),
  nextProbeAt: timeOrNull(row.probeAt),
  lastError: { class: row.errorClass, message: row.errorMessage, at: row.failedAt.toISOString() },
});

const Rule = z
  .strictObject({
    failures: z
      .int()
      .min(0)
      .max(1000)
      .nullable()
      .describe("Failures in a row that open a breaker. 0: never. null: as dispatchers are told."),
    coolDown: z
      .int()
      .min(1)
      .max(86_400)
      .nullable()
      .describe(
        "Seconds until one call probes. null: 60, or with failures as dispatchers are told.",
      ),
  })
  .refine(({ failures, coolDown }) => failures !== null || coolDown === null, {
    error: "says nothing without failures",
    path: ["coolDown"],
  });

const ruleOf = async (sql: Parameters<typeof breakers.getBreaker>[0], appId: string) => {
  const { failures, coolDownSeconds } = await breakers.getBreaker(sql, appId);
  return { failures, coolDown: coolDownSeconds };
};

/** Circuit breakers of an app's targets. */
export const targetRoutes = [
  defineRoute({
    method: "get",
    path: ALL,
    operationId: "listTargets",
    summary: "List the targets of an app that were broken when last called, by key",
    permission: "app:{appId}:target.read",
    params: InApp,
    query: z.strictObject({
      limit: limitUpTo(500, 100),
      cursor: Key.optional().describe("The nextCursor of the page before."),
    }),
    responses: { 200: pageOf(FailingTarget) },
    handler: async ({ sql, params: { appId }, query: { limit, cursor } }) => {
      const rows = await breakers.listTargets(sql, appId, { limit: limit + 1, after: cursor });
      return reply(
        200,
        toPage(rows, limit, toTarget, ({ key }) => key),
      );
    },
  }),
  defineRoute({
    method: "post",
    path: `${ALL}/reset`,
    operationId: "resetTargets",
    summary: "Call a target again at once, or all of them, and count its failures anew",
    permission: "app:{appId}:target.write",
    params: InApp,
    body: z
      .strictObject({ key: Key.nullish().describe("Which target. Default: all of the app.") })
      .optional(),
    responses: { 200: z.strictObject({ reset: z.int().describe("How many had failed.") }) },
    handler: async ({ sql, params: { appId }, body, principal }) => {
      const reset = await breakers.resetTargets(sql, appId, body?.key ?? undefined, principal);
      return reply(200, { reset });
    },
  }),
  defineRoute({
    method: "get",
    path: `${ALL}/breaker`,
    operationId: "getBreaker",
    summary: "When calls to a broken target of an app are held back",
    permission: "app:{appId}:target.read",
    params: InApp,
    responses: { 200: Rule },
    handler: async ({ sql, params: { appId } }) => reply(200, await ruleOf(sql, appId)),
  }),
  defineRoute({
    method: "put",
    path: `${ALL}/breaker`,
    operationId: "setBreaker",
    summary: "Set when calls to a broken target of an app are held back",
    permission: "app:{appId}:target.write",
    params: InApp,
    body: Rule,
    responses: { 200: Rule },
    handler: async ({ sql, params: { appId }, body, principal }) => {
      await breakers.setBreaker(sql, appId, body, principal);
      return reply(200, await ruleOf(sql, appId));
    },
  }),
];
