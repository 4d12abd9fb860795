import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import {
  connect,
  createTestDatabase,
  type TestDatabase,
  type TestSql,
} from "../helpers/database.js";
import { cron, phrase } from "./schedule-arbitraries.js";
import { parsePgCron, wakes } from "./schedule-pg-cron.js";
import { createAcceptsZone, serverZones } from "./schedule-zones.js";

/* Whatever pg_cron is handed has to wake it at every slot; waking too often is harmless. */

const ROUNDS = Number(process.env.CARILLON_ORACLE_ROUNDS ?? "1");
const FIVE_YEARS = 5 * 365 * 86_400;

let database: TestDatabase;
let sql: TestSql;

beforeAll(async () => {
  database = await createTestDatabase();
  sql = connect(database.url, 1);
  await createAcceptsZone(sql);
});

afterAll(async () => {
  await sql.end();
  await database.drop();
});

const plan = fc.record({
  schedule: fc.oneof(
    { weight: 4, arbitrary: cron },
    { weight: 1, arbitrary: phrase.filter((text) => !text.endsWith("seconds")) },
  ),
  version: fc.constantFrom("1.4" as const, "1.6" as const),
  from: fc.integer({ min: Date.UTC(2020, 0, 1) / 1000, max: Date.UTC(2035, 0, 1) / 1000 }),
  jitter: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 7_200 }) },
  ),
  probes: fc.array(fc.integer({ min: 0, max: FIVE_YEARS }), { minLength: 25, maxLength: 25 }),
});

type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never;

interface Answer {
  expression: string;
  slots: number[];
}

async function compiled(zone: string, p: Plan): Promise<Answer> {
  const [row] = await sql<Answer[]>`
    select
      carillon.compile_schedule(
        ${p.schedule}, ${zone}, ${p.version}, to_timestamp(${p.from}),
        anchor => to_timestamp(${p.from}), jitter => ${p.jitter}) as expression,
      array(
        select extract(epoch from n.slot)::float8
        from unnest(${[0, ...p.probes]}::int8[]) as s (s)
        cross join lateral carillon.next_fire(
          ${p.schedule}, ${zone}, to_timestamp(${p.from}::int8 + s.s), to_timestamp(${p.from})) as n (slot)
        where n.slot is not null
      ) as slots`;
  if (row === undefined) throw new Error("no answer");
  return row;
}

test("pg_cron wakes at every slot, in every zone", { timeout: 120_000 * ROUNDS }, async () => {
  const zones = await serverZones(sql);
  let checked = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, zone] of zones.entries()) {
      for (const p of fc.sample(plan, { numRuns: 5, seed: round * 10_007 + index })) {
        const { expression, slots } = await compiled(zone, p);
        const entry = parsePgCron(expression, p.version);
        for (const slot of slots) {
          if (slot === null) continue;
          const due = slot + p.jitter;
          if (slot > p.from + FIVE_YEARS) continue;
          checked++;
          const wake = Math.ceil(due / 60) * 60;
          if (!wakes(entry, wake) || (p.jitter === 0 && !wakes(entry, Math.floor(due / 60) * 60))) {
            expect.fail(
              `${p.schedule} in ${zone} from ${p.from}, jitter ${p.jitter}: ` +
                `${expression} does not wake for ${new Date(due * 1000).toISOString()}`,
            );
          }
        }
      }
    }
  }
  console.log(`compile: ${checked} slots covered in ${zones.length} zones`);
  expect(checked).toBeGreaterThan(zones.length);
});

test("an expression for GMT wakes at the slots only", async () => {
  await fc.assert(
    fc.asyncProperty(cron, async (schedule) => {
      const [row] = await sql<{ expression: string; slots: number[] }[]>`
        select carillon.compile_schedule(${schedule}, 'GMT', '1.6', '2026-01-01Z') as expression,
          array(
            select extract(epoch from p.slot)::int8
            from carillon.preview_schedule(${schedule}, 'GMT', '2026-01-01Z', 40) p order by p.slot
          ) as slots`;
      if (row === undefined) throw new Error("no answer");
      const entry = parsePgCron(row.expression, "1.6");
      const slots = new Set(row.slots.map(Number));
      const end = Math.min(Math.max(...slots), Date.UTC(2026, 1, 15) / 1000);
      const wrong: number[] = [];
      for (let at = Date.UTC(2026, 0, 1) / 1000 + 60; at <= end; at += 60) {
        if (wakes(entry, at) !== slots.has(at)) wrong.push(at);
      }
      expect(wrong, row.expression).toEqual([]);
    }),
    { numRuns: 60 * ROUNDS },
  );
});
