import { beforeAll, describe, expect, test } from "vitest";

import { advanceClock } from "../helpers/clock.js";
import type { TestDatabase, TestSql } from "../helpers/database.js";
import { declare, newDatabase } from "./decisions.js";
import { drain, fireDue, refusal, type Tick } from "./support.js";

/*
 * The ledger as such. Ten minutes of a cron, 10:01 to 10:10, of which every third is drained before
 * the next, each decided four seconds late.
 */
let db: TestDatabase;
let sql: TestSql;
let id: string;

beforeAll(async () => {
  db = await newDatabase();
  sql = db.sql;
  ({ id } = await declare(sql, "c"));
  await advanceClock(sql, "-26 seconds");
  for (let slot = 1; slot <= 10; slot += 1) {
    await advanceClock(sql, "1 minute");
    await fireDue(sql);
    if (slot % 3 === 0) await drain(sql, "crm");
  }
  return () => db.drop();
});

interface Filter {
  limit?: number;
  before?: string;
  outcomes?: string[];
  from?: string;
  to?: string;
}

const list = async (filter: Filter) => {
  const rows = await sql<Tick[]>`
    select * from carillon.list_ticks(cron => ${id}, max_rows => ${filter.limit ?? 50},
      before => ${filter.before ?? null}::text::timestamptz, outcomes => ${filter.outcomes ?? null},
      from_at => ${filter.from ?? null}::text::timestamptz, to_at => ${filter.to ?? null}::text::timestamptz)`;
  return rows.map(({ scheduled_for }) => scheduled_for.getUTCMinutes());
};
const at = (minute: number) => `2026-03-02T10:${String(minute).padStart(2, "0")}:00Z`;

describe("list_ticks", () => {
  const cases: [filter: Filter, minutes: number[]][] = [
    [{}, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]],
    [{ limit: 3 }, [10, 9, 8]],
    [{ limit: 3, before: at(8) }, [7, 6, 5]],
    [{ before: at(1) }, []],
    [{ outcomes: ["enqueued"] }, [10, 7, 4, 1]],
    [{ outcomes: ["skipped"], limit: 2, before: at(6) }, [5, 3]],
    [{ outcomes: ["enqueued", "skipped"], from: at(9) }, [10, 9]],
    [{ outcomes: ["failed"] }, []],
    [{ from: at(3), to: at(5) }, [5, 4, 3]],
    [{ from: at(3), to: at(5), before: at(5) }, [4, 3]],
    [{ from: at(5), to: at(3) }, []],
    [{ from: "infinity" }, []],
    [{ to: "infinity", from: "-infinity", limit: 1 }, [10]],
  ];
  test.each(cases)("%j gives %j", async (filter, minutes) => {
    expect(await list(filter)).toEqual(minutes);
  });

  test("pages through all of it, once each", async () => {
    const seen: number[] = [];
    let before: string | undefined;
    for (;;) {
      const page = await list({ limit: 4, ...(before === undefined ? {} : { before }) });
      seen.push(...page);
      if (page.length < 4) break;
      before = at(page.at(-1)!);
    }
    expect(seen).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  });

  test("walks the index, also where outcomes are asked for", async () => {
    const plan = await sql`
      explain select * from carillon.ticks t
      where t.cron_id = ${id} and t.scheduled_for < '2026-03-02T10:08:00Z' and t.outcome = any ('{skipped}')
      order by t.scheduled_for desc limit 5`.values();
    expect(plan.flat().join("\n")).not.toContain("Seq Scan");
  });
});

test("says how late each decision was, by whom, and in which backend", async () => {
  const rows = await sql`
    select distinct extract(epoch from decided_at - scheduled_for)::integer as lag, driver, pid > 0 as backend
    from carillon.ticks`;
  expect(rows).toEqual([{ lag: 4, driver: "api", backend: true }]);
});

describe("holds", () => {
  const insert = (values: string) =>
    refusal(
      sql.unsafe(`
        insert into carillon.ticks (cron_id, scheduled_for, app_id, outcome, msg_id, driver, decided_at)
        values ('${id}', ${values}, 'api', now())`),
    );
  test.each([
    [
      "one row a slot",
      "'2026-03-02T10:01:00Z', 'crm', 'missed', null",
      "ticks_\\d+_pkey|one_per_slot|ticks_default_pkey",
    ],
    [
      "no job without enqueueing",
      "'2026-03-02T09:00:00Z', 'crm', 'skipped', 1",
      "ticks_job_iff_enqueued",
    ],
    [
      "no enqueueing without a job",
      "'2026-03-02T09:00:00Z', 'crm', 'enqueued', null",
      "ticks_job_iff_enqueued",
    ],
    ["no other outcome", "'2026-03-02T09:00:00Z', 'crm', 'done', null", "ticks_outcome_known"],
  ])("%s", async (_, values, constraint) => {
    expect((await insert(values)).message).toMatch(new RegExp(constraint));
  });

  test("row and job are written in one transaction", async () => {
    const torn = await sql`
      select from carillon.ticks t join carillon.job_history h on h.job_id = t.msg_id
      where t.xmin is null or h.cron_id <> t.cron_id or h.scheduled_for <> t.scheduled_for`;
    expect(torn).toHaveLength(0);
    await advanceClock(sql, "1 minute");
    await sql
      .begin(async (tx) => {
        await tx`select carillon.fire_due()`;
        throw new Error("the driver dies before it commits");
      })
      .catch(() => undefined);
    expect(await list({ from: at(11) })).toEqual([]);
    await fireDue(sql);
    const [row] = await sql`
      select t.xmin = q.xmin as together, t.xmin is not null as there
      from carillon.ticks t left join pgmq.q_jobs q on q.msg_id = t.msg_id
      where t.cron_id = ${id} and t.scheduled_for = ${at(11)}`;
    expect(row).toMatchObject({ there: true });
  });
});
