import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import {
  connect,
  createTestDatabase,
  type TestDatabase,
  type TestSql,
} from "../helpers/database.js";
import { anyCron, cron, neverFires, phrase, rules } from "./schedule-arbitraries.js";

/* What holds for every schedule, whatever its slots are. */

const RUNS = 150 * Number(process.env.CARILLON_ORACLE_ROUNDS ?? "1");

let database: TestDatabase;
let sql: TestSql;

beforeAll(async () => {
  database = await createTestDatabase();
  sql = connect(database.url, 1);
});

afterAll(async () => {
  await sql.end();
  await database.drop();
});

const zone = fc.constantFrom(
  "GMT",
  "America/New_York",
  "Europe/London",
  "Australia/Lord_Howe",
  "Asia/Kolkata",
  "Pacific/Apia",
  "Antarctica/Troll",
  "Africa/Casablanca",
);
const instant = fc.integer({ min: Date.UTC(2020, 0, 1) / 1000, max: Date.UTC(2040, 0, 1) / 1000 });
const question = fc.record({ schedule: fc.oneof(cron, phrase), zone, after: instant, rules });

type Question = typeof question extends fc.Arbitrary<infer T> ? T : never;

/** Slots in microseconds since the epoch: next_fire at each instant, in the order given. */
async function slots(q: Question, after: number[]): Promise<(number | null)[]> {
  const rows = await sql<{ slot: number | null }[]>`
    select (extract(epoch from carillon.next_fire(
        ${q.schedule}, ${q.zone}, to_timestamp(a.a / 1000000) + (a.a % 1000000) * interval '1 microsecond',
        dst_gap => ${q.rules.gap}, dst_fold => ${q.rules.fold})) * 1000000)::int8 as slot
    from unnest(${after}::int8[]) with ordinality as a (a, i) order by a.i`;
  return rows.map(({ slot }) => slot);
}

test("the next slot lies after its instant, and nothing lies between", async () => {
  await fc.assert(
    fc.asyncProperty(question, async (q) => {
      const after = q.after * 1_000_000;
      const [slot = null] = await slots(q, [after]);
      if (slot === null) return;
      expect(slot).toBeGreaterThan(after);
      // From anywhere on the way it is still the next one; from itself on it is not.
      const middle = after + Math.floor((slot - after) / 2);
      const [fromMiddle, before, itself] = await slots(q, [middle, slot - 1, slot]);
      expect([fromMiddle, before]).toEqual([slot, slot]);
      if (itself !== null) expect(itself).toBeGreaterThan(slot);
    }),
    { numRuns: RUNS },
  );
});

test("preview is next_fire, repeated", async () => {
  await fc.assert(
    fc.asyncProperty(question, async (q) => {
      const previewed = await sql<{ slot: number; consistent: boolean }[]>`
        select (extract(epoch from p.slot) * 1000000)::int8 as slot,
          p.local_time = p.slot at time zone ${q.zone}
            and p.local_time - (replace(p.utc_offset, '+', '')::interval) = p.slot at time zone 'UTC' as consistent
        from carillon.preview_schedule(${q.schedule}, ${q.zone}, to_timestamp(${q.after}), 8,
          dst_gap => ${q.rules.gap}, dst_fold => ${q.rules.fold}) p`;
      const expected: number[] = [];
      let at = q.after * 1_000_000;
      while (expected.length < 8) {
        const [slot = null] = await slots(q, [at]);
        if (slot === null) break;
        expected.push((at = slot));
      }
      expect(previewed.map(({ slot }) => slot)).toEqual(expected);
      expect(previewed.every(({ consistent }) => consistent)).toBe(true);
    }),
    { numRuns: RUNS },
  );
});

test("the order in which slots are asked for does not matter", async () => {
  await fc.assert(
    fc.asyncProperty(
      question,
      fc.array(instant, { minLength: 2, maxLength: 10 }),
      async (q, some) => {
        const after = some.map((second) => second * 1_000_000);
        const forwards = await slots(q, after);
        const backwards = await slots(q, after.toReversed());
        expect(backwards.toReversed()).toEqual(forwards);
        // And a later instant never has an earlier slot.
        const sorted = await slots(
          q,
          after.toSorted((a, b) => a - b),
        );
        const known = sorted.map((slot) => slot ?? Infinity);
        expect(known).toEqual(known.toSorted((a, b) => a - b));
      },
    ),
    { numRuns: RUNS },
  );
});

test("starts_at and ends_at cut the slots, both included", async () => {
  await fc.assert(
    fc.asyncProperty(question, fc.nat(5), async (q, index) => {
      const all = await sql<{ slot: string }[]>`
        select p.slot::text from carillon.preview_schedule(${q.schedule}, ${q.zone}, to_timestamp(${q.after}), 6) p`;
      const chosen = all[Math.min(index, all.length - 1)]?.slot;
      if (chosen === undefined) return;
      const cut = await sql<{ first: boolean; last: boolean; only: boolean }[]>`
        select
          carillon.next_fire(s, z, a, starts_at => c) = c as first,
          carillon.next_fire(s, z, c - interval '1 second', ends_at => c) = c as last,
          carillon.next_fire(s, z, c, ends_at => c) is null as only
        from (values (${q.schedule}, ${q.zone}, to_timestamp(${q.after}), ${chosen}::timestamptz)) v (s, z, a, c)
        where s not like '% seconds'`;
      for (const row of cut) expect(row).toEqual({ first: true, last: true, only: true });
    }),
    { numRuns: RUNS },
  );
});

test("a schedule by the grammar is accepted unless it can never fire, and then it has a slot", async () => {
  await fc.assert(
    fc.asyncProperty(anyCron, async (schedule) => {
      const [row] = await sql<{ accepted: boolean }[]>`
        select carillon.next_fire(${schedule}, 'GMT', '2026-01-01Z') is not null as accepted`.catch(
        (error: unknown) => {
          expect(error).toMatchObject({ code: "TK002" });
          return [{ accepted: false }];
        },
      );
      expect(row?.accepted).toBe(!neverFires(schedule));
    }),
    { numRuns: RUNS * 4 },
  );
});

test("random text is refused with TK002 or accepted, never anything else", async () => {
  const text = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.string({ unit: "binary", maxLength: 40 }),
    fc
      .array(fc.string({ unit: fc.constantFrom(..."0159*/-,$ "), maxLength: 8 }), {
        minLength: 5,
        maxLength: 5,
      })
      .map((fields) => fields.join(" ")),
    fc
      .string({ unit: fc.constantFrom(..."0159 TZ:+-."), maxLength: 25 })
      .map((tail) => `at ${tail}`),
    fc
      .string({ unit: fc.constantFrom(..."019 minuteshodayfr:T"), maxLength: 30 })
      .map((tail) => `every ${tail}`),
  );
  await fc.assert(
    fc.asyncProperty(text, async (schedule) => {
      if (schedule.includes("\0")) return; // Postgres has no such text
      try {
        await sql`select carillon.check_schedule(${schedule}, 'GMT')`;
      } catch (error) {
        expect(error).toMatchObject({ code: "TK002", column_name: "schedule" });
        return;
      }
      // Accepted: then everything else works on it.
      await sql`select carillon.describe_schedule(${schedule}, 'GMT'),
        carillon.compile_schedule(${schedule}, 'GMT', '1.6', now()),
        carillon.next_fire(${schedule}, 'GMT', now())`;
    }),
    { numRuns: RUNS * 6 },
  );
});
