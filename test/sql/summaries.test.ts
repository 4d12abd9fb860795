import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { advanceClock, setClock } from "../helpers/clock.js";
import type { TestDatabase, TestSql } from "../helpers/database.js";
import { declare, fail, minute, newDatabase } from "./decisions.js";
import { claim, complete, createUser, fireDue, one, refusal } from "./support.js";

interface Summary {
  name: string;
  state: string;
  state_text: string;
  strip: string;
  strip_from: Date | null;
  strip_to: Date | null;
  last: { jobId: number; status: string; finishedAt: string; duration: number | null } | null;
  typical: { p50: number; p95: number } | null;
  verbs: string[];
}

interface Page {
  crons: string[];
  next_cursor: string | null;
  matched: number;
}

const find = (sql: TestSql, filter: object = {}, more = "") =>
  one(
    sql.unsafe<Page[]>(`select * from carillon.find_crons(filter => $1::text::jsonb${more})`, [
      JSON.stringify(filter),
    ]),
  );

const summarize = (sql: TestSql, crons: readonly string[], more = "") =>
  sql.unsafe<Summary[]>(
    `select (s.cron).name, s.state, s.state_text, s.strip, s.strip_from, s.strip_to, s.last, s.typical, s.verbs
     from carillon.summarize_crons(crons => $1::text::uuid[]${more}) s`,
    [`{${crons.join(",")}}`],
  );

/** The names of a page, in its order. */
const names = async (sql: TestSql, filter: object = {}, more = "") =>
  (await summarize(sql, (await find(sql, filter, more)).crons)).map(({ name }) => name);

const only = async (sql: TestSql, id: string, more = "") => {
  const [summary] = await summarize(sql, [id], more);
  if (summary === undefined) throw new Error("no summary");
  return summary;
};

describe("the strip", () => {
  let db: TestDatabase;
  let sql: TestSql;
  beforeAll(async () => {
    db = await newDatabase();
    sql = db.sql;
  });
  afterAll(() => db.drop());

  test("has a letter for what became of each slot, oldest first", async () => {
    const cron = await declare(sql, "all-kinds");
    expect(await only(sql, cron.id)).toMatchObject({
      ...{ state: "waiting", strip: "", strip_from: null, strip_to: null },
      ...{ last: null, typical: null },
    });

    await minute(sql); // 10:01, completes after 2 s
    let jobs = await claim(sql, "crm");
    await advanceClock(sql, "2 seconds");
    await complete(sql, jobs);
    await minute(sql); // 10:02, fails after 4 s
    jobs = await claim(sql, "crm");
    await advanceClock(sql, "4 seconds");
    await fail(sql, jobs);
    expect(await only(sql, cron.id)).toMatchObject({
      state: "failing",
      state_text: "Its last job failed",
      strip: "cf",
      last: { jobId: jobs[0]?.job_id, status: "failed", duration: 4 },
      typical: { p50: 3, p95: 3.9 },
    });
    await minute(sql); // 10:03, stays in the queue
    await minute(sql); // 10:04, skipped because of it
    expect((await only(sql, cron.id)).strip).toBe("cfrs");
    jobs = await claim(sql, "crm");
    expect(await only(sql, cron.id)).toMatchObject({ state: "failing", strip: "cfrs" });
    const canceled = jobs[0]?.job_id ?? 0;
    await complete(sql, jobs);
    await minute(sql); // 10:05, canceled
    await sql`
      select carillon.cancel_job(job => job_id) from carillon.list_jobs(app => 'crm', filter => '{"status": "live"}')`;
    const now = await only(sql, cron.id);
    expect(now).toMatchObject({ state: "ok", strip: "cfcsx" });
    expect(now.last?.status).toBe("canceled");
    expect(now.last?.jobId).toBeGreaterThan(canceled);

    // Nothing fires for a while: what is caught up is late, what came before it is missed.
    await advanceClock(sql, "3 minutes");
    await fireDue(sql);
    await complete(sql, await claim(sql, "crm"));
    expect((await only(sql, cron.id)).strip).toBe("cfcsxmmc");
    await sql`
      insert into carillon.ticks (cron_id, scheduled_for, app_id, outcome, reason, driver, decided_at)
      select ${cron.id}, '2026-03-02 11:00:00+00'::timestamptz + n * interval '1 minute', 'crm', o, 'because', 'api', carillon.now()
      from unnest(array['denied', 'failed']) with ordinality as x (o, n)`;
    await sql`
      insert into carillon.ticks (cron_id, scheduled_for, app_id, outcome, msg_id, driver, decided_at)
      values (${cron.id}, '2026-03-02 11:05:00+00', 'crm', 'enqueued', 999999, 'api', carillon.now())`;
    expect(await only(sql, cron.id)).toMatchObject({
      strip: "cfcsxmmcdte",
      strip_from: new Date("2026-03-02T10:01:00Z"),
      strip_to: new Date("2026-03-02T11:05:00Z"),
    });
    expect((await only(sql, cron.id, ", slots => 3")).strip).toBe("dte");
  });

  test("looks as far back as it has to, across the days of the ledger", async () => {
    const cron = await declare(sql, "rare", { schedule: "0 12 * * *", overlapPolicy: "queue" });
    for (const days of [0, 1, 7, 9, 30, 41, 60]) {
      await sql`
        insert into carillon.ticks (cron_id, scheduled_for, app_id, outcome, driver, decided_at)
        select ${cron.id}, '2026-03-02 09:00:00+00'::timestamptz - ${days}::integer * interval '1 day', 'crm',
          case when ${days}::integer > 30 then 'missed' else 'skipped' end, 'api', carillon.now()`;
    }
    expect((await only(sql, cron.id)).strip).toBe("mmsssss");
    expect((await only(sql, cron.id, ", slots => 4")).strip).toBe("ssss");
  });

  test("shows a slot that was caught up late, and one whose job took another's place", async () => {
    const late = await declare(sql, "late", { catchUp: "latest", catchUpWindow: 86_400 });
    await advanceClock(sql, "10 minutes");
    await sql`update carillon.crons set next_fire_at = carillon.now() - interval '5 minutes' where id = ${late.id}`;
    await sql`update carillon.crons set schedule = '0 0 1 1 *' where id = ${late.id}`;
    await fireDue(sql);
    const replaces = await declare(sql, "replaces", { overlapPolicy: "replace" });
    await minute(sql);
    await minute(sql);
    await complete(sql, await claim(sql, "crm"));
    expect((await only(sql, late.id)).strip).toBe("l");
    expect((await only(sql, replaces.id)).strip).toBe("xp");
  });

  test("finds the jobs of its slots among many others of the cron", async () => {
    const cron = await declare(sql, "busy", { overlapPolicy: "queue" });
    await minute(sql);
    await complete(sql, await claim(sql, "crm"));
    for (let n = 0; n < 70; n += 1) await sql`select carillon.trigger_cron(cron => ${cron.id})`;
    await complete(sql, await claim(sql, "crm"));
    expect(await only(sql, cron.id)).toMatchObject({ strip: "c", last: { status: "completed" } });
  });
});

describe("a list of crons", () => {
  let db: TestDatabase;
  let sql: TestSql;
  let ids: Record<string, string>;
  let tom: string;
  beforeAll(async () => {
    db = await newDatabase();
    sql = db.sql;
    await sql`select carillon.install_app(app => 'ops')`;
    tom = await createUser(sql, "tom", ["app:crm:*"]);
    const made = async (name: string, fields: object) =>
      [name, (await declare(sql, name, { schedule: "0 12 * * *", ...fields })).id] as const;
    ids = Object.fromEntries([
      await made("b-hourly", {
        schedule: "45 * * * *",
        target: { type: "http", url: "https://example.com/" },
      }),
      await made("a-noon", { timezone: "Europe/Berlin" }),
      await made("c-paused", { enabled: false, pauseNote: "waits for the carrier" }),
      await made("d-fails", { schedule: "* * * * *" }),
      await made("e-gives-up", { schedule: "* * * * *", maxConsecutiveFailures: 1 }),
      await made("f-runs", { schedule: "* * * * *" }),
      await made("g-was", { schedule: "at 2026-03-02T10:01" }),
    ]);
    const { id } = await one(sql<{ id: string }[]>`
      select id from carillon.create_cron(app => 'crm', name => 'h-denied', schedule => '0 15 * * *', actor => ${tom})`);
    ids["h-denied"] = id;
    const other = await one(sql<{ id: string }[]>`
      select id from carillon.create_cron(app => 'ops', name => 'z-other', schedule => '30 10 * * *')`);
    ids["z-other"] = other.id;
    await minute(sql);
    const jobs = await claim(sql, "crm");
    const of = (...crons: string[]) =>
      jobs.filter(({ cron_id }) => crons.some((name) => ids[name] === cron_id));
    await fail(sql, of("d-fails", "e-gives-up"));
    await complete(sql, of("g-was"));
    await sql`select carillon._sweep()`;
    await sql`select carillon.revoke_role(principal => ${tom}, role => 'tom')`;
  });
  afterAll(() => db.drop());

  test("says of each how it is, in a word and a sentence", async () => {
    const rows = await summarize(sql, Object.values(ids));
    expect(Object.fromEntries(rows.map((row) => [row.name, [row.state, row.state_text]]))).toEqual({
      "b-hourly": ["waiting", "No slot of it has come yet"],
      "a-noon": ["waiting", "No slot of it has come yet"],
      "c-paused": ["paused", "Paused: waits for the carrier"],
      "d-fails": ["failing", "Its last job failed"],
      "e-gives-up": ["self_paused", "Paused itself: 1 jobs in a row failed"],
      "f-runs": ["running", "A job of it is running"],
      "g-was": ["done", "It has no slot any more"],
      "h-denied": ["denied", "Denied: the owner no longer holds app:crm:cron.write"],
      "z-other": ["waiting", "No slot of it has come yet"],
    });
  });

  test("begins with what needs somebody, then goes by next slot", async () => {
    expect(await names(sql)).toEqual([
      ...["d-fails", "h-denied", "e-gives-up"],
      ...["f-runs", "z-other", "b-hourly", "a-noon"],
      ...["c-paused", "g-was"],
    ]);
  });

  test("is in other orders, too", async () => {
    const sorted = Object.keys(ids).sort();
    expect(await names(sql, {}, ", sort => 'name'")).toEqual(sorted);
    expect((await names(sql, {}, ", sort => 'next'")).slice(0, 4)).toEqual([
      ...["d-fails", "f-runs", "z-other", "b-hourly"],
    ]);
    expect((await names(sql, {}, ", sort => 'last'")).slice(0, 5)).toEqual([
      ...["d-fails", "e-gives-up", "f-runs", "g-was", "a-noon"],
    ]);
  });

  test.each(["attention", "name", "next", "last"])(
    "has pages that make up the whole, by %s",
    async (sort) => {
      const whole = await find(sql, {}, `, sort => '${sort}'`);
      expect(whole).toMatchObject({ matched: 9, next_cursor: null });
      for (const size of [1, 2, 4]) {
        const seen: string[] = [];
        let cursor: string | null = null;
        do {
          const page: Page = await find(
            sql,
            {},
            `, sort => '${sort}', max_rows => ${size}, after_cursor => ${cursor === null ? "null" : `'${cursor}'`}`,
          );
          expect(page.crons.length).toBeLessThanOrEqual(size);
          seen.push(...page.crons);
          cursor = page.next_cursor;
        } while (cursor !== null);
        expect(seen).toEqual(whole.crons);
      }
    },
  );

  test.each([
    [{ app: "ops" }, ["z-other"]],
    [{ app: "nowhere" }, []],
    [{ q: "OON" }, ["a-noon"]],
    [{ q: "berlin" }, ["a-noon"]],
    [{ q: "%" }, []],
    [{ timezone: "europe/berlin" }, ["a-noon"]],
    [{ enabled: false }, ["e-gives-up", "c-paused"]],
    [{ state: "failing" }, ["d-fails"]],
    [{ state: "denied" }, ["h-denied"]],
    [{ state: "self_paused" }, ["e-gives-up"]],
    [{ state: "running" }, ["f-runs"]],
    [{ state: "done" }, ["g-was"]],
    [{ state: "late" }, []],
    [{ state: ["paused", "waiting"], app: "crm" }, ["b-hourly", "a-noon", "c-paused"]],
    [{ state: "ok" }, []],
    [{ target: "http" }, ["b-hourly"]],
    [{ target: ["any"] }, ["b-hourly"]],
    [{ target: ["agent", "faktory"] }, []],
    [{ target: "none", state: "failing" }, ["d-fails"]],
  ])("keeps what %j means", async (filter, wanted) => {
    expect(await names(sql, filter)).toEqual(wanted);
    expect(await find(sql, filter)).toMatchObject({ matched: wanted.length });
  });

  test("has only what the caller may read, and shows jobs only with job.read", async () => {
    const reader = await createUser(sql, "reader", ["app:crm:cron.read"]);
    const page = await find(sql, {}, `, actor => '${reader}'`);
    expect(page.matched).toBe(8);
    expect(page.crons).not.toContain(ids["z-other"]);
    expect(await summarize(sql, [ids["z-other"] ?? ""], `, actor => '${reader}'`)).toEqual([]);
    const fails = await only(sql, ids["d-fails"] ?? "", `, actor => '${reader}'`);
    expect(fails).toMatchObject({ strip: "e", last: null, typical: null, verbs: [] });
    const scoped = await find(sql, {}, `, actor => '${reader}', actor_scopes => '{app:ops:*}'`);
    expect(scoped).toEqual({ crons: [], next_cursor: null, matched: 0 });
  });

  test("says what the caller may do with each", async () => {
    const ann = await createUser(sql, "ann", [
      ...["app:crm:cron.read", "app:crm:cron.write", "app:crm:job.read"],
      ...[
        "app:ops:cron.read",
        "app:ops:cron.write",
        "app:ops:cron.trigger",
        "app:ops:cron.manage_others",
      ],
    ]);
    const { id } = await one(sql<{ id: string }[]>`
      select id from carillon.create_cron(app => 'crm', name => 'own', schedule => '0 9 * * *', actor => ${ann})`);
    const rows = await summarize(
      sql,
      [id, ids["a-noon"] ?? "", ids["z-other"] ?? ""],
      `, actor => '${ann}'`,
    );
    expect(rows.map(({ verbs }) => verbs)).toEqual([
      ["write", "readJobs"],
      ["readJobs"],
      ["write", "trigger"],
    ]);
    expect((await only(sql, id)).verbs).toEqual([
      ...["write", "trigger", "readJobs", "writeJobs", "readAudit"],
    ]);
    await sql`select carillon.delete_cron(cron => ${id})`;
  });

  test("calls a cron late whose slot nobody decides", async () => {
    await sql`
      update carillon.crons set next_fire_at = carillon.now() - interval '2 minutes' where id = ${ids["a-noon"] ?? ""}`;
    expect(await names(sql, { state: "late" })).toEqual(["a-noon"]);
    expect((await names(sql))[0]).toBe("a-noon");
    expect((await only(sql, ids["a-noon"] ?? "")).state_text).toMatch(
      /^Its slot of Mon 02 Mar, 10:59:30 has not been decided$/,
    );
    await sql`
      update carillon.crons set next_fire_at = '2026-03-02 11:00:00+00' where id = ${ids["a-noon"] ?? ""}`;
  });

  test.each([
    [{ state: "broken" }, "", "state"],
    [{ cron: "x" }, "", "cron"],
    [{ target: "carrier-pigeon" }, "", "target"],
    [{ enabled: "yes" }, "", "enabled"],
    [{}, ", max_rows => 201", "limit"],
    [{}, ", sort => 'size'", "order"],
    [{}, ", after_cursor => 'nonsense'", "cursor"],
  ])("refuses %j%s, naming %s %s", async (filter, more, field) => {
    expect(await refusal(find(sql, filter, more))).toMatchObject({ code: "TK001", field });
  });

  test("refuses a cursor of another order", async () => {
    const { next_cursor } = await find(sql, {}, ", max_rows => 1");
    const other = find(sql, {}, `, sort => 'name', after_cursor => '${next_cursor}'`);
    expect(await refusal(other)).toMatchObject({ code: "TK001", field: "cursor" });
  });
});

test("what was decided last is on the cron, however it was decided", async () => {
  await using db = await newDatabase();
  const { sql } = db;
  const cron = await declare(sql, "c");
  const last = async () =>
    (
      await one(sql<{ at: Date | null }[]>`
        select last_slot_at as at from carillon.crons where id = ${cron.id}`)
    ).at?.toISOString();
  expect(await last()).toBeUndefined();
  await minute(sql);
  expect(await last()).toBe("2026-03-02T10:01:00.000Z");
  await setClock(sql, "2026-03-02T10:20:30Z");
  await fireDue(sql);
  expect(await last()).toBe("2026-03-02T10:20:00.000Z");
  await sql`select carillon.fire_next_slot(cron => ${cron.id})`;
  expect(await last()).toBe("2026-03-02T10:21:00.000Z");
});
