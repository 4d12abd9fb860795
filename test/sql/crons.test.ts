import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { advanceClock, setClock } from "../helpers/clock.js";
import { createTestDatabase, type TestDatabase, type TestSql } from "../helpers/database.js";
import {
  createCron,
  createUser,
  type Cron,
  fingerprint,
  getCron,
  one,
  outcomesOf,
  refusal,
} from "./support.js";

let db: TestDatabase;
let sql: TestSql;
let unique = 0;

/** An app nobody else uses. */
async function newApp(): Promise<string> {
  const app = `app${(unique += 1)}`;
  await sql`select carillon.install_app(app => ${app})`;
  return app;
}

beforeAll(async () => {
  db = await createTestDatabase();
  sql = db.sql;
  await setClock(sql, "2026-03-02T10:00:30Z");
});
afterAll(() => db.drop());

describe("create_cron", () => {
  test("needs app, name and schedule, and fills in every default", async () => {
    const app = await newApp();
    const cron = await createCron(sql, app, "daily-Report_1", "0 9 * * *");
    expect(cron).toMatchObject({
      app_id: app,
      name: "daily-Report_1",
      schedule: "0 9 * * *",
      timezone: "GMT",
      dst_gap: "shift",
      dst_fold: "first",
      payload: {},
      method: null,
      overlap_policy: "skip",
      enabled: true,
      origin: "sql",
      pg_job_id: null,
      next_fire_at: new Date("2026-03-03T09:00:00Z"),
      completed_at: null,
      jitter_seconds: 0,
      created_at: new Date("2026-03-02T10:00:30Z"),
      updated_at: new Date("2026-03-02T10:00:30Z"),
    });
    const system = await one(
      sql<{ id: string }[]>`select id from carillon.principals where username = 'system'`,
    );
    expect(cron.created_by).toBe(system.id);
  });

  test("takes everything by name", async () => {
    const app = await newApp();
    const owner = await createUser(sql, `owner-${app}`, ["*"]);
    const cron = await one(sql<Cron[]>`
      select * from carillon.create_cron(
        app => ${app}, name => 'all', schedule => '*/5 * * * *', timezone => 'Europe/Paris',
        payload => '{"a": [1, null, "ü"], "method": "old"}', method => 'report',
        overlap_policy => 'queue', enabled => false, starts_at => '2026-04-01T00:00:00+02:00',
        ends_at => '2026-05-01 00:00:00Z', jitter => 30, dst => '{"gap": "skip", "fold": "both"}',
        actor => ${owner})`);
    expect(cron).toMatchObject({
      timezone: "Europe/Paris",
      payload: { a: [1, null, "ü"], method: "report" },
      method: "report",
      overlap_policy: "queue",
      enabled: false,
      next_fire_at: null,
      starts_at: new Date("2026-03-31T22:00:00Z"),
      ends_at: new Date("2026-05-01T00:00:00Z"),
      jitter_seconds: 30,
      dst_gap: "skip",
      dst_fold: "both",
      origin: "api",
      created_by: owner,
    });
  });

  test.each(["a", "A-b_9", "-", "_", "0", "x".repeat(64)])("takes the name %j", async (name) => {
    const app = await newApp();
    expect((await createCron(sql, app, name)).name).toBe(name);
  });

  const app = "'refusals'";
  const good = `app => ${app}, name => 'n', schedule => '* * * * *'`;
  const wrong: [string, string, string, string][] = [
    ["no app", "app => null, name => 'n', schedule => '* * * * *'", "TK001", "appId"],
    ["an unknown app", "app => 'nope', name => 'n', schedule => '* * * * *'", "TK101", ""],
    [
      "an app id in capitals",
      "app => 'Nope', name => 'n', schedule => '0 9 * * *'",
      "TK001",
      "appId",
    ],
    ["a reserved app id", "app => 'pg_x', name => 'n', schedule => '* * * * *'", "TK401", "appId"],
    ["our own app id", "app => 'carillon', name => 'n', schedule => '* * * * *'", "TK401", "appId"],
    ["no name", `app => ${app}, name => null, schedule => '* * * * *'`, "TK001", "name"],
    ["an empty name", `app => ${app}, name => '', schedule => '* * * * *'`, "TK001", "name"],
    [
      "a name of 65",
      `app => ${app}, name => repeat('x', 65), schedule => '* * * * *'`,
      "TK001",
      "name",
    ],
    [
      "a name with a space",
      `app => ${app}, name => 'a b', schedule => '* * * * *'`,
      "TK001",
      "name",
    ],
    [
      "a name with a newline",
      `app => ${app}, name => e'a\\n', schedule => '* * * * *'`,
      "TK001",
      "name",
    ],
    [
      "a name with a quote",
      `app => ${app}, name => 'a''b', schedule => '* * * * *'`,
      "TK001",
      "name",
    ],
    [
      "a name with an emoji",
      `app => ${app}, name => '🔔', schedule => '* * * * *'`,
      "TK001",
      "name",
    ],
    ["a name with an ü", `app => ${app}, name => 'ü', schedule => '* * * * *'`, "TK001", "name"],
    ["no schedule", `app => ${app}, name => 'n', schedule => null`, "TK001", "schedule"],
    ["an empty schedule", `app => ${app}, name => 'n', schedule => ''`, "TK002", "schedule"],
    ["a shortcut", `app => ${app}, name => 'n', schedule => '@daily'`, "TK002", "schedule"],
    [
      "a statement",
      `app => ${app}, name => 'n', schedule => '* * * * *; select 1'`,
      "TK002",
      "schedule",
    ],
    [
      "a long schedule",
      `app => ${app}, name => 'n', schedule => repeat('*', 201)`,
      "TK001",
      "schedule",
    ],
    ["60 seconds", `app => ${app}, name => 'n', schedule => '60 seconds'`, "TK002", "schedule"],
    ["an unknown zone", `${good}, timezone => 'Mars/Olympus'`, "TK003", "timezone"],
    ["an empty zone", `${good}, timezone => ''`, "TK003", "timezone"],
    ["an array as payload", `${good}, payload => '[1]'`, "TK001", "payload"],
    ["a string as payload", `${good}, payload => '"x"'`, "TK001", "payload"],
    ["a number as payload", `${good}, payload => '1'`, "TK001", "payload"],
    [
      "a huge payload",
      `${good}, payload => jsonb_build_object('a', repeat('x', 1048577))`,
      "TK001",
      "payload",
    ],
    ["an empty method", `${good}, method => ''`, "TK001", "method"],
    ["a long method", `${good}, method => repeat('x', 201)`, "TK001", "method"],
    ["an unknown overlap policy", `${good}, overlap_policy => 'drop'`, "TK001", "overlapPolicy"],
    ["a negative jitter", `${good}, jitter => -1`, "TK001", "jitter"],
    ["a jitter of over a day", `${good}, jitter => 86401`, "TK001", "jitter"],
    [
      "an end before the start",
      `${good}, starts_at => '2026-02-01', ends_at => '2026-01-01'`,
      "TK001",
      "endsAt",
    ],
    ["a start at infinity", `${good}, starts_at => 'infinity'`, "TK001", "startsAt"],
    ["an end at minus infinity", `${good}, ends_at => '-infinity'`, "TK001", "endsAt"],
    ["an end in the year 10000", `${good}, ends_at => '10000-01-01 00:00Z'`, "TK001", "endsAt"],
    ["a start before Christ", `${good}, starts_at => '0044-03-15 BC'`, "TK001", "startsAt"],
    ["dst as a string", `${good}, dst => '"skip"'`, "TK001", "dst"],
    ["an unknown dst key", `${good}, dst => '{"overlap": "x"}'`, "TK001", "dst"],
    ["an unknown dst gap", `${good}, dst => '{"gap": "jump"}'`, "TK001", "dst.gap"],
    ["an unknown dst fold", `${good}, dst => '{"fold": "last"}'`, "TK001", "dst.fold"],
    ["an unknown actor", `${good}, actor => gen_random_uuid()`, "TK104", ""],
  ];
  test.each(wrong)("refuses %s", async (_what, call, code, field) => {
    await sql`select carillon.install_app(app => 'refusals')`;
    const before = await fingerprint(sql);
    const refused = await refusal(sql.unsafe(`select carillon.create_cron(${call})`));
    expect(refused).toMatchObject({ code, field });
    if (field !== "" && code === "TK001") expect(refused.message).toContain(field);
    expect(await fingerprint(sql)).toEqual(before);
  });

  test("refuses a name that is taken in the app, and takes it in another", async () => {
    const [one_, other] = [await newApp(), await newApp()];
    await createCron(sql, one_, "twin");
    const before = await fingerprint(sql);
    expect(await refusal(createCron(sql, one_, "twin"))).toMatchObject({
      code: "TK201",
      field: "name",
      message: `app "${one_}" has a cron named "twin" already`,
    });
    expect(await fingerprint(sql)).toEqual(before);
    await createCron(sql, other, "twin");
    await createCron(sql, one_, "Twin");
  });
});

describe("update_cron", () => {
  test("changes what is given and keeps the rest", async () => {
    const app = await newApp();
    const cron = await one(sql<Cron[]>`
      select * from carillon.create_cron(app => ${app}, name => 'c', schedule => '0 9 * * *',
        payload => '{"a": 1}', method => 'm', jitter => 5, starts_at => '2026-01-01')`);
    await advanceClock(sql, "1 second");
    const changed = await one(sql<Cron[]>`
      select * from carillon.update_cron(cron => ${cron.id}, schedule => '0 10 * * *')`);
    expect(changed).toEqual({
      ...cron,
      schedule: "0 10 * * *",
      description: "Every day at 10:00 GMT",
      next_fire_at: changed.next_fire_at,
      updated_at: changed.updated_at,
      version: 2,
    });
    expect(changed.next_fire_at).toEqual(new Date("2026-03-03T10:00:00Z"));
    expect(changed.updated_at.getTime()).toBe(cron.updated_at.getTime() + 1000);
  });

  test("is refused where another version was expected, and changes nothing", async () => {
    const app = await newApp();
    const { id } = await createCron(sql, app, "c");
    const expecting = (version: number | null) => [
      sql`select carillon.update_cron(cron => ${id}, jitter => 5, expected_version => ${version})`,
      sql`select carillon.patch_cron(cron => ${id}, patch => '{"jitter": 6}', expected_version => ${version})`,
      sql`select carillon.set_cron_enabled(cron => ${id}, enabled => false, expected_version => ${version})`,
      sql`select carillon.delete_cron(cron => ${id}, expected_version => ${version})`,
    ];
    const before = await one(sql<Cron[]>`select * from carillon.get_cron(cron => ${id})`);
    for (const change of expecting(7))
      await expect(change).rejects.toMatchObject({ code: "TK206" });
    expect(await one(sql<Cron[]>`select * from carillon.get_cron(cron => ${id})`)).toEqual(before);
    const [update] = expecting(1);
    await update;
    for (const change of expecting(null).slice(1)) await change;
    await expect(one(sql`select * from carillon.get_cron(cron => ${id})`)).rejects.toThrow(
      /no cron/,
    );
  });

  test("takes every field by name", async () => {
    const app = await newApp();
    const { id } = await createCron(sql, app, "c");
    const changed = await one(sql<Cron[]>`
      select * from carillon.update_cron(cron => ${id}, name => 'd', schedule => '1 2 3 4 5',
        timezone => 'Asia/Tokyo', payload => '{"b": 2}', method => 'm', overlap_policy => 'queue',
        enabled => false, starts_at => '2026-01-01T00:00:00.123456Z', ends_at => '2027-01-01Z',
        jitter => 7, dst => '{"gap": "skip"}', actor => null)`);
    expect(changed).toMatchObject({
      name: "d",
      schedule: "1 2 3 4 5",
      timezone: "Asia/Tokyo",
      payload: { b: 2, method: "m" },
      overlap_policy: "queue",
      enabled: false,
      jitter_seconds: 7,
      dst_gap: "skip",
      dst_fold: "first",
    });
    const exact = await one(sql<{ at: string }[]>`
      select starts_at::text as at from carillon.crons where id = ${id}`);
    expect(exact.at).toBe("2026-01-01 00:00:00.123456+00");
  });

  test("writes nothing when nothing changes", async () => {
    const { id } = await createCron(sql, await newApp(), "c");
    const before = await fingerprint(sql);
    await sql`select carillon.update_cron(cron => ${id})`;
    await sql`select carillon.update_cron(cron => ${id}, schedule => '* * * * *', enabled => true)`;
    await sql`select carillon.patch_cron(cron => ${id}, patch => '{}')`;
    await sql`select carillon.set_cron_enabled(cron => ${id}, enabled => true)`;
    expect(await fingerprint(sql)).toEqual(before);
  });

  test("refuses a start at infinity instead of ignoring it", async () => {
    const { id } = await createCron(sql, await newApp(), "c");
    const refused = await refusal(
      sql`select carillon.update_cron(cron => ${id}, starts_at => 'infinity')`,
    );
    expect(refused).toMatchObject({ code: "TK001", field: "startsAt" });
  });
});

describe("patch_cron", () => {
  const wrong: [string, string, string][] = [
    ["3", "TK001", "cron"],
    ["[]", "TK001", "cron"],
    ['{"name": null}', "TK001", "name"],
    ['{"schedule": null}', "TK001", "schedule"],
    ['{"schedule": 5}', "TK001", "schedule"],
    ['{"schedule": "x"}', "TK002", "schedule"],
    ['{"timezone": "EST"}', "TK003", "timezone"],
    ['{"createdBy": "x"}', "TK001", "createdBy"],
    ['{"id": "x"}', "TK001", "id"],
    ['{"overlap_policy": "skip"}', "TK001", "overlap_policy"],
    ['{"enabled": "yes"}', "TK001", "enabled"],
    ['{"enabled": 1}', "TK001", "enabled"],
    ['{"payload": []}', "TK001", "payload"],
    ['{"jitter": 1.5}', "TK001", "jitter"],
    ['{"jitter": "5"}', "TK001", "jitter"],
    ['{"jitter": 1e400}', "TK001", "jitter"],
    ['{"startsAt": "2026-01-01"}', "TK001", "startsAt"],
    ['{"startsAt": "2026-01-01T00:00:00"}', "TK001", "startsAt"],
    ['{"startsAt": "2026-02-30T00:00:00Z"}', "TK001", "startsAt"],
    ['{"startsAt": "0000-01-01T00:00:00Z"}', "TK001", "startsAt"],
    ['{"startsAt": "infinity"}', "TK001", "startsAt"],
    ['{"startsAt": 5}', "TK001", "startsAt"],
    ['{"endsAt": "2026-01-01T00:00:00+99:00"}', "TK001", "endsAt"],
    ['{"endsAt": "2026-01-01T00:00:00Z", "startsAt": "2026-01-02T00:00:00Z"}', "TK001", "endsAt"],
    ['{"method": 1}', "TK001", "method"],
    ['{"dst": {"gap": 1}}', "TK001", "dst.gap"],
  ];
  test.each(wrong)("refuses %s", async (patch, code, field) => {
    const { id } = await createCron(sql, await newApp(), "c");
    const before = await fingerprint(sql);
    const refused = await refusal(
      sql`select carillon.patch_cron(cron => ${id}, patch => ${patch}::text::jsonb)`,
    );
    expect(refused).toMatchObject({ code, field });
    expect(await fingerprint(sql)).toEqual(before);
  });

  test("resets a field that is null to its default", async () => {
    const app = await newApp();
    const cron = await one(sql<Cron[]>`
      select * from carillon.create_cron(app => ${app}, name => 'c', schedule => '0 9 * * *',
        timezone => 'Asia/Tokyo', payload => '{"a": 1}', method => 'm', overlap_policy => 'queue',
        enabled => false, starts_at => '2026-01-01', ends_at => '2027-01-01', jitter => 9,
        dst => '{"gap": "skip", "fold": "both"}')`);
    const patch = Object.fromEntries(
      "timezone payload method overlapPolicy enabled startsAt endsAt jitter dst"
        .split(" ")
        .map((field) => [field, null]),
    );
    const reset = await one(sql<Cron[]>`
      select * from carillon.patch_cron(cron => ${cron.id}, patch => ${sql.json(patch)})`);
    const fresh = await createCron(sql, app, "fresh", "0 9 * * *");
    expect(reset).toEqual({
      ...fresh,
      ...{ id: cron.id, name: "c", created_at: cron.created_at, version: 2 },
    });
  });

  test("refuses a name that another cron of the app has", async () => {
    const app = await newApp();
    await createCron(sql, app, "a");
    const { id } = await createCron(sql, app, "b");
    const before = await fingerprint(sql);
    const refused = await refusal(
      sql`select carillon.patch_cron(cron => ${id}, patch => '{"name": "a"}')`,
    );
    expect(refused).toMatchObject({ code: "TK201", field: "name" });
    expect(await fingerprint(sql)).toEqual(before);
  });

  test("decides by the old schedule what came due under it, however much that is", async () => {
    const app = await newApp();
    const { id } = await createCron(sql, app, "edited");
    await sql`update carillon.crons set next_fire_at = '2026-02-25T00:00:00Z' where id = ${id}`;
    await sql`select carillon.patch_cron(cron => ${id}, patch => '{"schedule": "0 0 1 1 *"}')`;
    const counts = await sql`
      select outcome, count(*)::integer as n, max(scheduled_for) as newest
      from carillon.ticks where cron_id = ${id} group by 1 order by 1`;
    // From 02-25 00:00 to 03-02 10:00: 7,801 minutes, more than are settled in one go.
    expect(counts).toEqual([
      { outcome: "enqueued", n: 1, newest: new Date("2026-03-02T10:00:00Z") },
      { outcome: "missed", n: 7800, newest: new Date("2026-03-02T09:59:00Z") },
    ]);
    expect((await getCron(sql, id)).next_fire_at).toEqual(new Date("2027-01-01T00:00:00Z"));
  });

  test("mends a cron whose schedule can no longer be computed", async () => {
    const { id } = await createCron(sql, await newApp(), "broken");
    // What a server without that zone would find after a restore.
    await sql`
      update carillon.crons set timezone = 'Mars/Olympus', next_fire_at = '2026-03-02T10:00:00Z'
      where id = ${id}`;
    const mended = await one(sql<Cron[]>`
      select * from carillon.patch_cron(cron => ${id}, patch => '{"timezone": "GMT"}')`);
    expect(mended.next_fire_at).toEqual(new Date("2026-03-02T10:01:00Z"));
    expect(await outcomesOf(sql, id)).toEqual(["10:00 failed"]);
  });
});

describe("set_cron_enabled", () => {
  test("pauses and resumes: nothing is woken while paused, and nothing is made up for", async () => {
    const { id } = await createCron(sql, await newApp(), "paused", "0 * * * *");
    const off = await one(sql<Cron[]>`
      select * from carillon.set_cron_enabled(cron => ${id}, enabled => false)`);
    expect(off).toMatchObject({ enabled: false, next_fire_at: null, pg_job_id: null });
    await advanceClock(sql, "3 hours");
    await sql`select carillon.fire_due()`;
    const on = await one(sql<Cron[]>`
      select * from carillon.set_cron_enabled(cron => ${id}, enabled => true)`);
    expect(on.enabled).toBe(true);
    expect(on.next_fire_at).toEqual(new Date("2026-03-02T14:00:00Z"));
    expect(await outcomesOf(sql, id)).toEqual([]);
  });

  test("refuses null", async () => {
    const { id } = await createCron(sql, await newApp(), "c");
    const refused = await refusal(
      sql`select carillon.set_cron_enabled(cron => ${id}, enabled => null)`,
    );
    expect(refused).toMatchObject({ code: "TK001", field: "enabled" });
  });
});

describe("delete_cron", () => {
  test("removes the cron, and keeps its jobs and its ledger", async () => {
    const app = await newApp();
    const { id } = await createCron(sql, app, "gone");
    await advanceClock(sql, "1 minute");
    await sql`select carillon.fire_due()`;
    await sql`select carillon.delete_cron(cron => ${id})`;
    expect(await refusal(getCron(sql, id))).toMatchObject({ code: "TK102" });
    expect(await sql`select from carillon.ticks where cron_id = ${id}`).toHaveLength(1);
    const jobs = await sql`select cron_id from carillon.list_jobs(app => ${app})`;
    expect(jobs).toEqual([{ cron_id: id }]);
  });
});

describe("trigger_cron", () => {
  const trigger = async (id: string, payload: object | null = null) =>
    (
      await one(sql<{ id: number }[]>`
        select carillon.trigger_cron(cron => ${id}, payload => ${payload && sql.json(payload as never)})
          as id`)
    ).id;

  test("enqueues at once what a slot would, whether paused or busy", async () => {
    const app = await newApp();
    const { id } = await one(sql<Cron[]>`
      select * from carillon.create_cron(app => ${app}, name => 'c', schedule => '0 0 1 1 *',
        payload => '{"a": 1, "cron_id": "forged"}', method => 'm', enabled => false)`);
    const ids = [await trigger(id), await trigger(id), await trigger(id, { b: 2 })];
    expect(new Set(ids).size).toBe(3);
    const jobs = await sql`
      select job_id, cron_id, trigger, scheduled_for, status, payload
      from carillon.list_jobs(app => ${app}) order by 1`;
    const job = { cron_id: id, trigger: "manual", scheduled_for: null, status: "queued" };
    expect(jobs).toEqual([
      { job_id: ids[0], ...job, payload: { a: 1, cron_id: id, method: "m" } },
      { job_id: ids[1], ...job, payload: { a: 1, cron_id: id, method: "m" } },
      { job_id: ids[2], ...job, payload: { b: 2, cron_id: id, method: "m" } },
    ]);
  });

  test.each([[[1]], ["x"], [5], [true]])("refuses the payload %j", async (payload) => {
    const { id } = await createCron(sql, await newApp(), "c");
    const before = await fingerprint(sql);
    const refused = await refusal(
      sql`select carillon.trigger_cron(cron => ${id}, payload => ${JSON.stringify(payload)}::text::jsonb)`,
    );
    expect(refused).toMatchObject({ code: "TK001", field: "payload" });
    expect(await fingerprint(sql)).toEqual(before);
  });
});

describe("what is not there", () => {
  const calls: [string, (id: string, app: string | null) => PromiseLike<unknown>][] = [
    ["get_cron", (id, app) => sql`select carillon.get_cron(cron => ${id}, app => ${app})`],
    [
      "patch_cron",
      (id, app) => sql`select carillon.patch_cron(cron => ${id}, patch => '{}', app => ${app})`,
    ],
    [
      "set_cron_enabled",
      (id, app) =>
        sql`select carillon.set_cron_enabled(cron => ${id}, enabled => false, app => ${app})`,
    ],
    ["delete_cron", (id, app) => sql`select carillon.delete_cron(cron => ${id}, app => ${app})`],
    ["trigger_cron", (id, app) => sql`select carillon.trigger_cron(cron => ${id}, app => ${app})`],
  ];
  test.each(calls)(
    "%s answers TK102 for an unknown cron and one of another app",
    async (_n, call) => {
      const { id } = await createCron(sql, await newApp(), "mine");
      const other = await newApp();
      const before = await fingerprint(sql);
      const unknown = "00000000-0000-4000-8000-000000000000";
      expect(await refusal(call(unknown, null))).toMatchObject({ code: "TK102" });
      expect(await refusal(call(id, other))).toMatchObject({ code: "TK102" });
      expect(await fingerprint(sql)).toEqual(before);
    },
  );
});

test("lists are by name, and stay within the app", async () => {
  const [app, other] = [await newApp(), await newApp()];
  for (const name of ["b", "a", "c"]) await createCron(sql, app, name);
  await createCron(sql, other, "x");
  const names = await sql`select name from carillon.list_crons(app => ${app})`;
  expect(names.map((row) => row.name as string)).toEqual(["a", "b", "c"]);
});

test("list_runs is empty without pg_cron, and refuses a limit out of range", async () => {
  const { id } = await createCron(sql, await newApp(), "c");
  expect(await sql`select * from carillon.list_runs(cron => ${id})`).toEqual([]);
  for (const limit of [0, -1, 501, null]) {
    const refused = await refusal(
      sql`select carillon.list_runs(cron => ${id}, max_rows => ${limit})`,
    );
    expect(refused).toMatchObject({ code: "TK001", field: "limit" });
  }
});
