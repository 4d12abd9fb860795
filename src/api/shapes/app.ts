import { z } from "zod";
import type { AppRow } from "../../db/apps.js";
import { Time } from "./scalars.js";

/** An app as lists show it. Its manifest is not for everybody who may see the app. */
export const App = z.strictObject({
  id: z.string(),
  name: z.string().nullable(),
  permissions: z.array(z.string()).describe("The permissions the app brings, in full."),
  agent: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe("What makes it an agent, as its manifest says; null where it is none."),
  maxConcurrency: z.int().nullable().describe("Jobs that may run at once; null for no limit."),
  createdAt: Time,
  updatedAt: Time,
});

export const toApp = (row: AppRow): z.input<typeof App> => ({
  id: row.id,
  name: row.name,
  permissions: row.permissions,
  agent: row.agent,
  maxConcurrency: row.maxConcurrency,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
});

const names = z.array(z.string());

/** What a deploy did, by cron name. */
export const Deployed = z.strictObject({
  appId: z.string(),
  installed: z.boolean().describe("Whether the app is new."),
  created: names,
  updated: names,
  unchanged: names,
  deleted: names,
});
