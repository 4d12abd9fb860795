import type { TestSql } from "./database.js";

/*
 * Carillon reads the time in one function, carillon.now(). A test that moves time replaces that
 * function, in its own database, by one that reads a table: every connection sees the same clock,
 * and the shipped code has no switch for it.
 */

/** Stops the clock of this database at an instant, such as `2026-03-08T06:59:00Z`. */
export async function setClock(sql: TestSql, instant: string | Date): Promise<void> {
  await replaceClock(sql);
  const at = typeof instant === "string" ? instant : instant.toISOString();
  await sql`update test_clock.clock set at = ${at}::timestamptz`;
}

/** Moves a stopped clock on by an interval (`5 minutes`) and returns the new time. */
export async function advanceClock(sql: TestSql, interval: string): Promise<Date> {
  const [row] = await sql<{ at: Date }[]>`
    update test_clock.clock set at = at + ${interval}::interval where at is not null
    returning at`;
  if (row === undefined) throw new Error("advanceClock() needs setClock() first");
  return row.at;
}

/** Lets the clock of this database run with the real time again. */
export async function realClock(sql: TestSql): Promise<void> {
  await replaceClock(sql);
  await sql`update test_clock.clock set at = null`;
}

async function replaceClock(sql: TestSql): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(hashtext('test_clock'))`;
    const [found] = await tx`select to_regclass('test_clock.clock') is not null as made`;
    if (found?.made === true) return;
    await tx.unsafe(`
      create schema test_clock;
      create table test_clock.clock (at timestamptz);
      insert into test_clock.clock values (null);
      grant usage on schema test_clock to public;
      grant select on test_clock.clock to public;
      create or replace function carillon.now() returns timestamptz
        language sql volatile security invoker set search_path = ''
        as 'select coalesce((select at from test_clock.clock), clock_timestamp())';`);
  });
}
