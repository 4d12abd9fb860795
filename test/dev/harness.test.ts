import { describe, expect, inject, test } from "vitest";

import { advanceClock, realClock, setClock } from "../helpers/clock.js";
import { connect, createTestDatabase } from "../helpers/database.js";
import { startCronEngine } from "../helpers/engine.js";

describe("createTestDatabase", () => {
  test("gives each caller a clone of its own, with pgmq and without pg_cron", async () => {
    const all = await Promise.all(Array.from({ length: 6 }, () => createTestDatabase()));
    expect(new Set(all.map((db) => db.name)).size).toBe(6);
    for (const db of all) {
      const [row] = await db.sql<{ name: string; big: number; now: Date }[]>`
        select current_database() as name, 42::bigint as big, carillon.now() as now`;
      expect(row).toMatchObject({ name: db.name, big: 42 });
      const extensions = await db.sql`select extname from pg_extension order by 1`.values();
      expect(extensions.flat()).not.toContain("pg_cron");
      expect(await db.sql`select to_regprocedure('pgmq.send(text, jsonb)') as f`).not.toEqual([
        { f: null },
      ]);
    }
    await Promise.all(all.map((db) => db.drop()));
    const { url, keep } = inject("server");
    const admin = connect(url, 1);
    const left =
      await admin`select 1 from pg_database where datname in ${admin(all.map((db) => db.name))}`;
    expect(left).toHaveLength(keep ? 6 : 0);
    await admin.end();
  });
});

describe("the test clock", () => {
  test("stands still, moves on, and runs again, for every connection", async () => {
    await using db = await createTestDatabase();
    const other = connect(db.url, 1);
    const now = async () => (await other<{ at: Date }[]>`select carillon.now() as at`)[0]?.at;
    await setClock(db.sql, "2026-03-08T06:59:00Z");
    expect(await now()).toEqual(new Date("2026-03-08T06:59:00Z"));
    expect(await advanceClock(db.sql, "5 minutes")).toEqual(new Date("2026-03-08T07:04:00Z"));
    expect(await now()).toEqual(new Date("2026-03-08T07:04:00Z"));
    await realClock(db.sql);
    expect(Math.abs(Date.now() - (await now())!.getTime())).toBeLessThan(60_000);
    await expect(advanceClock(db.sql, "1 day")).rejects.toThrow("needs setClock() first");
    await other.end();
  });

  test("is set by many at once without harm", async () => {
    await using db = await createTestDatabase();
    await Promise.all(Array.from({ length: 8 }, () => setClock(db.sql, "2026-01-01T00:00:00Z")));
    const [row] = await db.sql`select carillon.now() as at`;
    expect(row).toEqual({ at: new Date("2026-01-01T00:00:00Z") });
  });
});

test("startCronEngine has Carillon and pg_cron in one database, or says why not", async () => {
  const started = await startCronEngine().catch((error: unknown) => error as Error);
  if (started instanceof Error) {
    expect(inject("server").pgCron).toBeNull();
    expect(started.message).toMatch(/^installed: no .*PostgreSQL/);
    return;
  }
  await using live = started;
  await live.sql`create extension if not exists pg_cron`;
  const [row] = await live.sql`
    select carillon.now() <= now() + interval '1 minute' as runs,
           current_setting('cron.database_name') = current_database() as same`;
  expect(row).toEqual({ runs: true, same: true });
});
