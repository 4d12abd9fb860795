import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import {
  createTestDatabase,
  connect,
  type TestDatabase,
  type TestSql,
} from "../helpers/database.js";
import { cron, rules } from "./schedule-arbitraries.js";
import { nextSlot } from "./schedule-model.js";
import {
  modelZones,
  createAcceptsZone,
  FIRST_YEAR,
  LAST_YEAR,
  serverZones,
  type Zone,
} from "./schedule-zones.js";

/*
 * next_fire against a model that shares nothing with it: other language, other algorithm, other tz
 * database (Node's ICU). CARILLON_ORACLE_ROUNDS=20 looks twenty times as hard.
 */

const ROUNDS = Number(process.env.CARILLON_ORACLE_ROUNDS ?? "1");
const SCHEDULES_PER_ZONE = 8;
const INSTANTS_PER_SCHEDULE = 12;
const FIRST = Date.UTC(FIRST_YEAR, 0, 1) / 1000;
const LAST = Date.UTC(LAST_YEAR + 1, 0, 1) / 1000;

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

interface Question {
  schedule: string;
  gap: "shift" | "skip";
  fold: "first" | "both";
  after: number;
}

/** Schedules and instants for one zone; most instants lie around its changes of offset. */
function questionsFor(zone: Zone, seed: number): Question[] {
  const changes = zone.changes.map(({ from }) => from).filter((at) => at >= FIRST && at < LAST);
  const near = fc
    .tuple(
      fc.constantFrom(...(changes.length === 0 ? [FIRST] : changes)),
      fc.integer({ min: -2 * 86_400, max: 2 * 86_400 }),
    )
    .map(([change, distance]) => change + distance);
  const anywhere = fc.integer({ min: FIRST, max: LAST - 1 });
  const instant =
    changes.length === 0
      ? anywhere
      : fc.oneof({ weight: 3, arbitrary: near }, { weight: 1, arbitrary: anywhere });
  const plan = fc.tuple(
    cron,
    rules,
    fc.array(instant, { minLength: INSTANTS_PER_SCHEDULE, maxLength: INSTANTS_PER_SCHEDULE }),
  );
  return fc
    .sample(plan, { numRuns: SCHEDULES_PER_ZONE, seed })
    .flatMap(([schedule, { gap, fold }, instants]) =>
      instants.map((after) => ({ schedule, gap, fold, after })),
    );
}

async function answersOf(zone: Zone, questions: Question[]): Promise<(number | null)[]> {
  const rows = await sql<{ slot: number | null }[]>`
    select extract(epoch from carillon.next_fire(
      q.schedule, ${zone.name}, to_timestamp(q.after), dst_gap => q.gap, dst_fold => q.fold))::int8 as slot
    from unnest(
      ${questions.map((q) => q.schedule)}::text[], ${questions.map((q) => q.gap)}::text[],
      ${questions.map((q) => q.fold)}::text[], ${questions.map((q) => q.after)}::int8[]
    ) with ordinality as q (schedule, gap, fold, after, i)
    order by q.i`;
  return rows.map(({ slot }) => slot);
}

test(
  "next_fire agrees with the model in every zone the server knows",
  { timeout: 120_000 * ROUNDS },
  async () => {
    const names = await serverZones(sql);
    const { zones, differing } = await modelZones(sql, names);
    let compared = 0;
    const differences: unknown[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      for (const [index, zone] of zones.entries()) {
        const questions = questionsFor(zone, round * 10_007 + index);
        const answers = await answersOf(zone, questions);
        for (const [i, question] of questions.entries()) {
          // Beyond the years under test the model would have to guess the offsets.
          const expected = nextSlot(question.schedule, zone, question.after, LAST, question);
          const answer = answers[i] ?? null;
          if (expected === null ? answer !== null && answer <= LAST : answer !== expected) {
            differences.push({ zone: zone.name, ...question, expected, answer });
          }
          compared++;
        }
      }
    }
    console.log(
      `oracle: ${compared} slots of ${zones.length * SCHEDULES_PER_ZONE * ROUNDS} schedules in ` +
        `${zones.length} zones; by the server's offsets, as Node's differ: ${differing.join(", ") || "none"}`,
    );
    expect(differences.slice(0, 5)).toEqual([]);
    expect(zones.length).toBeGreaterThan(400);
    expect(differing.length).toBeLessThan(zones.length / 2);
  },
);
