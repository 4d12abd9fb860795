import postgres from "postgres";
import { inject } from "vitest";
import { seedCompany, type Seeded } from "../../src/dev/seed/seed.js";
import { withDatabase } from "../helpers/engine-url.js";
import { createTestDatabase, type TestDatabase } from "../helpers/database.js";
import { setClock } from "../helpers/clock.js";

/** When everything happens: a Monday before Black Friday, after both clock changes of autumn. */
export const NOW = new Date("2026-11-23T13:55:48Z");

/**
 * A database with the company in it, its clock standing at {@link NOW}. It is seeded once in a run:
 * every test file gets a copy.
 */
export async function createCompany(): Promise<{ db: TestDatabase; seeded: Seeded }> {
  const { url, template } = inject("server");
  const source = `${template}_company`;
  const admin = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    // Test files run at the same time: one of them seeds, the others wait.
    await admin`select pg_advisory_lock(hashtext(${source}))`;
    const [found] = await admin`select from pg_database where datname = ${source}`;
    if (found === undefined) await seedTemplate(admin, url, template, source);
  } finally {
    await admin.end();
  }
  const db = await createTestDatabase({ template: source });
  const [row] = await db.sql<{ seeded: Seeded }[]>`select seeded from public.company`;
  if (row === undefined) throw new Error("the company is not there");
  return { db, seeded: row.seeded };
}

async function seedTemplate(admin: postgres.Sql, url: string, template: string, name: string) {
  const made = `${name}_making`;
  await admin.unsafe(`drop database if exists ${made} with (force)`);
  await admin.unsafe(`create database ${made} template ${template}`);
  const sql = postgres(withDatabase(url, made), { max: 1, onnotice: () => undefined });
  await sql`select carillon.release_clone()`;
  const seeded = await seedCompany(withDatabase(url, made), NOW);
  await setClock(sql as never, NOW);
  await sql`create table public.company as select ${sql.json(seeded as never)}::jsonb as seeded`;
  await sql`analyze`;
  await sql.end();
  // Whole or absent.
  await admin.unsafe(`alter database ${made} rename to ${name}`);
}
