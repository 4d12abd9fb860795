import { generateKey } from "../../api/keys.js";
import { createApiKey } from "../../db/api-keys.js";
import { connect, type Sql } from "../../db/connect.js";
import { createCron, syncManifest } from "../../db/crons.js";
import { createPrincipal, type Actor } from "../../db/principals.js";
import { createRole } from "../../db/roles.js";
import { giveAccess } from "./access.js";
import { makeCalls } from "./calls.js";
import { stopClock } from "./clock.js";
import { APPS, CRONS, MESSAGES, PEOPLE, type SeedCron } from "./company.js";
import { at, JOBS, LETTERS, SETTLE, SLOTS, STORE, TOOLS } from "./history.js";
import { daysBefore, type Seeding } from "./seeding.js";
import { change, startJobs, startWaiting, startWorkers } from "./today.js";

/** What was seeded. */
export interface Seeded {
  /** An API key of each person, by name. */
  keys: Record<string, string>;
  /** The id of each cron, by app and name: `crm/daily-digest`. */
  crons: Record<string, string>;
  jobs: number;
}

/**
 * Fills an empty Carillon with a year of a company's life, as it would be at one instant. Everything
 * is made by the functions that people and programs use, but for the history, which is told in SQL.
 */
export async function seedCompany(databaseUrl: string, now = new Date()): Promise<Seeded> {
  // One connection: what the history is made with is temporary.
  const sql = connect(databaseUrl, { max: 1, name: "carillon seed" });
  const clock = await stopClock(sql);
  try {
    await clock.set(daysBefore(now, 401));
    const { actors, keys } = await hire(sql);
    await sql`select carillon.set_retention(tick_days => 800, job_days => 800, audit_days => 800)`;
    const seeding: Seeding = { sql, clock, now, actors, crons: {} };
    await sql.unsafe(TOOLS);
    await sql`insert into seed_message (text) select unnest(${[...MESSAGES]}::text[])`;
    for (const { id, name } of APPS) {
      const actor = actors["deploy-ci"] ?? null;
      await syncManifest(sql, id, { name, permissions: PERMISSIONS }, actor);
    }
    for (const cron of CRONS) await plan(seeding, cron);
    // Nothing of what follows comes before a slot: the history has them all.
    await sql`update carillon.crons set next_fire_at = ${now}::timestamptz + interval '30 days'`;
    await change(seeding);
    await clock.set(now);
    for (const text of [SLOTS, JOBS, ...STORE, LETTERS, ...SETTLE]) await sql.unsafe(at(text, now));
    await giveAccess(seeding);
    await startWaiting(seeding);
    await makeCalls(seeding);
    await startJobs(seeding);
    await startWorkers(seeding);
    await rollUp(sql);
    const [row] = await sql<{ jobs: number }[]>`select count(*) as jobs from carillon.job_history`;
    return { keys, crons: seeding.crons, jobs: Number(row?.jobs) };
  } finally {
    await clock.release();
    await sql.end();
  }
}

const PERMISSIONS = ["cron.read", "cron.write", "cron.trigger", "cron.manage_others"];

/** Everybody, with a key each. */
async function hire(sql: Sql) {
  const actors: Record<string, Actor> = {};
  const keys: Record<string, string> = {};
  for (const { username, kind, permissions } of PEOPLE) {
    const role = `of-${username}`;
    await createRole(sql, { name: role, permissions });
    const principalId = await createPrincipal(sql, username, { kind, roles: [role] });
    const { key, prefix, hash } = generateKey();
    const keyId = await createApiKey(sql, { principalId, name: "laptop", prefix, hash });
    keys[username] = key;
    const origin = {
      via: "key" as const,
      keyId,
      ip: "192.0.2.14",
      requestId: "seed",
      reason: null,
    };
    actors[username] = { principalId, scopes: null, origin: { ...origin, userAgent: "carillon" } };
  }
  return { actors, keys };
}

/** Makes a cron, and notes what its history is to be. */
async function plan({ sql, now, actors, crons }: Seeding, seed: SeedCron): Promise<void> {
  const { app, owner, days, median, spread, fails, story, paused, ...input } = seed;
  const { id } = await createCron(sql, app, input, actors[owner] ?? null);
  crons[`${app}/${input.name}`] = id;
  // A cron that gave up, or was paused, had no slot since.
  const until = story === "gives_up" ? 1.2 : (paused?.days ?? 0);
  await sql`insert into seed_cron values (
    ${id}, ${app}, ${input.name}, ${daysBefore(now, days)}, ${daysBefore(now, until)}, ${median}, ${spread}, ${fails},
    ${input.maxAttempts ?? 1}, ${input.retryDelay ?? 10}, ${story ?? null})`;
}

/** Until the statistics have all of it: a call works for about a second. */
async function rollUp(sql: Sql): Promise<void> {
  for (;;) {
    const [row] = await sql<{ jobs: number }[]>`select carillon._roll_up() as jobs`;
    if (!row?.jobs) return;
  }
}
