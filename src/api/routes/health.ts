import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { ping } from "../../db/system.js";
import { CarillonError } from "../../errors.js";
import { defineRoute, reply } from "../route.js";

/** Milliseconds within which a database that is ready answers. */
const READY_WITHIN = 2000;

const Health = z.strictObject({ status: z.literal("ok") });

/** For supervisors and load balancers. */
export const healthRoutes = [
  defineRoute({
    method: "get",
    path: "/healthz",
    operationId: "getHealth",
    summary: "Whether the process is up",
    permission: "public",
    responses: { 200: Health },
    handler: () => Promise.resolve(reply(200, { status: "ok" as const })),
  }),
  defineRoute({
    method: "get",
    path: "/readyz",
    operationId: "getReadiness",
    summary: "Whether the database answers and Carillon is installed in it; 503 otherwise",
    permission: "public",
    responses: { 200: Health },
    handler: async ({ sql }) => {
      const giveUp = new AbortController();
      try {
        await Promise.race([ping(sql), tooLate(giveUp.signal)]);
      } finally {
        giveUp.abort();
      }
      return reply(200, { status: "ok" as const });
    },
  }),
];

async function tooLate(signal: AbortSignal): Promise<void> {
  await sleep(READY_WITHIN, undefined, { signal }).catch(() => undefined);
  if (signal.aborted) return;
  throw new CarillonError(
    "database_unavailable",
    `the database did not answer within ${READY_WITHIN / 1000} s`,
  );
}
