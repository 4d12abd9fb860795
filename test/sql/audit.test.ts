import { createHash } from "node:crypto";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { advanceClock, setClock } from "../helpers/clock.js";
import { createTestDatabase, type TestDatabase, type TestSql } from "../helpers/database.js";
import { claim, complete, createCron, createUser, fireDue, one, refusal, sync } from "./support.js";

/*
 * Who changed what, from what to what: in the same transaction as the change, and for good.
 */

let db: TestDatabase;
let sql: TestSql;
let unique = 0;
const fresh = (prefix: string) => `${prefix}${(unique += 1)}`;

beforeAll(async () => {
  db = await createTestDatabase();
  sql = db.sql;
  await setClock(sql, "2026-03-02T10:00:30Z");
});
afterAll(() => db.drop());

interface Entry {
  id: number;
  action: string;
  app_id: string | null;
  object_id: string | null;
  object_name: string | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  actor_id: string | null;
  actor_name: string;
  actor_kind: string;
  via: string;
  key_prefix: string | null;
  database_role: string;
  ip: string | null;
  user_agent: string | null;
  request_id: string | null;
  reason: string | null;
}

const lastId = async () =>
  (await one(sql<{ id: number }[]>`select coalesce(max(id), 0) as id from carillon.audit_log`)).id;

/** What some work wrote, oldest first. */
async function written(work: () => PromiseLike<unknown>): Promise<Entry[]> {
  const since = await lastId();
  await work();
  return sql<Entry[]>`select * from carillon.audit_log where id > ${since} order by id`;
}

/** The same, as `action object`. */
const told = async (work: () => PromiseLike<unknown>) =>
  (await written(work)).map(({ action, object_name, object_id }) =>
    `${action} ${object_name ?? object_id ?? ""}`.trim(),
  );

const install = async () => {
  const app = fresh("app");
  await sql`select carillon.install_app(app => ${app})`;
  return app;
};

const hash = (secret: string) => createHash("sha256").update(secret).digest();

describe("what is written", () => {
  test("a cron's life, with only what changed", async () => {
    const app = await install();
    const [made] = await written(() => createCron(sql, app, "c", "0 9 * * *"));
    expect(made).toMatchObject({
      action: "cron.create",
      app_id: app,
      object_name: "c",
      before: null,
    });
    expect(made?.after).toMatchObject({ schedule: "0 9 * * *", timezone: "GMT", payload: {} });
    const id = made?.object_id ?? "";
    const [changed, ...more] = await written(
      () =>
        sql`select carillon.patch_cron(cron => ${id}, patch => '{"schedule": "5 9 * * *", "priority": 3, "timezone": "GMT"}')`,
    );
    expect(more).toEqual([]);
    expect(changed).toMatchObject({
      ...{ action: "cron.update", object_id: id },
      before: { schedule: "0 9 * * *" },
      after: { schedule: "5 9 * * *", priority: 3 },
    });
    const [paused] = await written(
      () =>
        sql`select carillon.set_cron_enabled(cron => ${id}, enabled => false, note => 'moving')`,
    );
    expect(paused).toMatchObject({
      ...{ action: "cron.pause", before: { enabled: true } },
      after: { enabled: false, pauseNote: "moving" },
    });
    const [resumed] = await written(
      () => sql`select carillon.set_cron_enabled(cron => ${id}, enabled => true)`,
    );
    expect(resumed).toMatchObject({
      ...{ action: "cron.resume", after: { enabled: true } },
      before: { enabled: false, pauseNote: "moving" },
    });
    const [triggered] = await written(() => sql`select carillon.trigger_cron(cron => ${id})`);
    expect(triggered).toMatchObject({ action: "cron.trigger", object_id: id, before: null });
    expect(triggered?.after).toEqual({ jobId: expect.any(Number) as number, ownPayload: true });
    const [filled] = await written(
      () => sql`
        select carillon.backfill_cron(cron => ${id}, from_at => '2026-03-01T00:00:00Z', to_at => '2026-03-02T00:00:00Z')`,
    );
    expect(filled).toMatchObject({ action: "cron.backfill", after: { slots: 1, concurrency: 1 } });
    const [gone] = await written(() => sql`select carillon.delete_cron(cron => ${id})`);
    expect(gone).toMatchObject({ action: "cron.delete", object_id: id, after: null });
    expect(gone?.before).toMatchObject({ schedule: "5 9 * * *" });
    const rows = await sql<Entry[]>`select * from carillon.list_audit(cron => ${id})`;
    expect(rows.map(({ action }) => action)).toEqual([
      ...["cron.delete", "cron.backfill", "cron.trigger", "cron.resume", "cron.pause"],
      ...["cron.update", "cron.create"],
    ]);
  });

  test("nothing, by what changes nothing", async () => {
    const app = await install();
    const { id } = await createCron(sql, app, "c", "0 9 * * *");
    const user = await createUser(sql, fresh("u"), ["a:b"]);
    const nothing = await written(async () => {
      await sql`select carillon.patch_cron(cron => ${id}, patch => '{"schedule": "0 9 * * *"}')`;
      await sql`select carillon.set_cron_enabled(cron => ${id}, enabled => true)`;
      await sql`
        select carillon.backfill_cron(cron => ${id}, from_at => '2026-03-01T00:00:00Z', to_at => '2026-03-02T00:00:00Z', dry_run => true)`;
      await sql`select carillon.update_principal(principal => ${user}, enabled => true)`;
      await sql`select carillon.set_retention()`;
      await sql`select carillon.set_on_clone(policy => 'hold')`;
      await sql`select carillon.release_clone()`;
      await refusal(
        sql`select carillon.patch_cron(cron => ${id}, patch => '{"schedule": "nonsense"}')`,
      );
      await sync(sql, app, []);
    });
    // Of all these one had something to change.
    expect(nothing.map(({ action, after }) => [action, after])).toEqual([
      ["settings.update", { onClone: "hold" }],
    ]);
    await sql`select carillon.set_on_clone(policy => 'warn')`;
  });

  test("a deploy: a row for each cron, and one for all; no row for an unchanged one", async () => {
    const app = fresh("app");
    const crons = (schedule: string) => ["a", "b", "c"].map((name) => ({ name, schedule }));
    expect(await told(() => sync(sql, app, crons("0 9 * * *")))).toEqual([
      `app.install ${app}`,
      ...["cron.create a", "cron.create b", "cron.create c"],
      `app.deploy ${app}`,
    ]);
    expect(
      await told(async () => {
        for (let i = 0; i < 100; i += 1) await sync(sql, app, crons("0 9 * * *"));
      }),
    ).toEqual([]);
    const rows = await written(() =>
      sync(sql, app, [
        { name: "a", schedule: "1 9 * * *" },
        { name: "b", schedule: "0 9 * * *" },
        { name: "d", schedule: "0 9 * * *" },
      ]),
    );
    expect(rows.map(({ action, object_name: name }) => `${action} ${name}`)).toEqual([
      ...["cron.create d", "cron.update a", "cron.delete c", "app.deploy null"],
    ]);
    expect(rows.at(-1)?.after).toEqual({ created: 1, updated: 1, unchanged: 1, deleted: 1 });
    expect(rows.at(1)).toMatchObject({
      ...{ before: { schedule: "0 9 * * *" }, after: { schedule: "1 9 * * *" } },
    });
    const [gone] = await written(() => sql`select carillon.uninstall_app(app => ${app})`);
    expect(gone).toMatchObject({ action: "app.uninstall", before: { crons: 3, canceledJobs: 0 } });
  });

  test("principals, roles, grants and keys; of a key neither secret nor hash", async () => {
    const [role, user] = [fresh("r"), fresh("u")];
    const secret = hash(fresh("secret"));
    let id = "";
    let key = "";
    const rows = await written(async () => {
      await sql`select carillon.create_role(name => ${role}, permissions => '{a:b}')`;
      await sql`select carillon.update_role(name => ${role}, permissions => '{a:c}')`;
      ({ id } = await one(sql<{ id: string }[]>`
        select carillon.create_principal(username => ${user}) as id`));
      await sql`select carillon.grant_role(principal => ${id}, role => ${role})`;
      await sql`select carillon.grant_role(principal => ${id}, role => ${role})`;
      ({ key } = await one(sql<{ key: string }[]>`
        select carillon.create_api_key(principal => ${id}, name => 'ci', prefix => 'abcdefgh', hash => ${secret}) as key`));
      await sql`select carillon.revoke_api_key(key => ${key})`;
      await sql`select carillon.revoke_api_key(key => ${key})`;
      await sql`select carillon.update_principal(principal => ${id}, username => ${`${user}x`}, enabled => false)`;
      await sql`select carillon.revoke_role(principal => ${id}, role => ${role})`;
      await sql`select carillon.revoke_role(principal => ${id}, role => ${role})`;
      await sql`select carillon.delete_role(name => ${role})`;
      await sql`select carillon.delete_principal(principal => ${id})`;
    });
    expect(rows.map(({ action, before, after }) => [action, before, after])).toEqual([
      ["role.create", null, { permissions: ["a:b"], inherits: [] }],
      ["role.update", { permissions: ["a:b"] }, { permissions: ["a:c"] }],
      ["principal.create", null, { username: user, kind: "user", enabled: true, roles: [] }],
      ["principal.grant", null, { role }],
      [
        ...["key.create", null],
        { name: "ci", prefix: "abcdefgh", mintsKeys: false, revoked: false, principal: user },
      ],
      ["key.revoke", { revoked: false }, { revoked: true }],
      [
        "principal.update",
        { username: user, enabled: true },
        { username: `${user}x`, enabled: false },
      ],
      ["principal.revoke", { role }, null],
      ["role.delete", { permissions: ["a:c"], inherits: [] }, null],
      ["principal.delete", { username: `${user}x`, kind: "user", enabled: false, roles: [] }, null],
    ]);
    expect(JSON.stringify(rows)).not.toContain(secret.toString("hex"));
  });

  test("jobs that are moved, canceled and run again", async () => {
    const app = await install();
    const enqueue = async () =>
      (await one(sql<{ id: number }[]>`select carillon.enqueue_job(app => ${app}) as id`)).id;
    const [a, b] = [await enqueue(), await enqueue()];
    const rows = await written(async () => {
      await sql`select carillon.update_job(job => ${a}, patch => '{"runAt": "2026-03-03T00:00:00Z"}')`;
      await sql`select carillon.cancel_job(job => ${a}, reason => 'wrong')`;
      await complete(sql, await claim(sql, app));
      await sql`select carillon.retry_job(job => ${b})`;
    });
    expect(rows.map(({ action, object_id }) => [action, Number(object_id)])).toEqual([
      ["job.update", a],
      ["job.cancel", a],
      ["job.retry", b],
    ]);
    expect(rows[1]?.after).toEqual({ reason: "wrong" });
  });

  test("a pause by the system itself", async () => {
    const app = await install();
    await sql`
      select carillon.create_cron(app => ${app}, name => 'c', schedule => '* * * * *', max_consecutive_failures => 1)`;
    await advanceClock(sql, "1 minute");
    await fireDue(sql);
    const jobs = await claim(sql, app);
    const outcomes = jobs.map(({ job_id, attempt }) => ({
      ...{ job_id, attempt, status: "failed", error: { name: "Error", message: "no" } },
    }));
    await sql`select carillon.finish_jobs(outcomes => ${sql.json(outcomes)})`;
    const [paused] = await written(() => sql`select carillon._pause_failing_crons()`);
    expect(paused).toMatchObject({
      ...{ action: "cron.pause", actor_kind: "system", via: "system", actor_name: "system" },
      after: { enabled: false, pauseNote: "1 jobs in a row failed" },
    });
  });

  test("of a large value only its size and hash", async () => {
    const app = await install();
    const payload = { text: "x".repeat(20_000) };
    const [made] = await written(
      () => sql`
        select carillon.create_cron(app => ${app}, name => 'c', schedule => '* * * * *', payload => ${sql.json(payload)})`,
    );
    expect(made?.after?.payload).toEqual({
      bytes: 20_012,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
  });

  test("a change that is rolled back leaves no row", async () => {
    const app = await install();
    const rows = await written(() =>
      refusal(
        sql.begin(async (tx) => {
          await tx`select carillon.create_cron(app => ${app}, name => 'c', schedule => '* * * * *')`;
          await tx`select 1 / 0`;
        }),
      ),
    );
    expect(rows).toEqual([]);
  });
});

describe("who", () => {
  test("in SQL, the database role, with what the connection says of itself", async () => {
    const app = await install();
    const [row] = await written(() =>
      sql.begin(async (tx) => {
        await tx`select set_config('application_name', 'psql', true), set_config('carillon.reason', 'ticket 7', true)`;
        await tx`select carillon.create_cron(app => ${app}, name => 'c', schedule => '* * * * *')`;
      }),
    );
    const { role } = await one(sql<{ role: string }[]>`select session_user as role`);
    expect(row).toMatchObject({
      ...{
        actor_kind: "database",
        actor_id: null,
        actor_name: role,
        database_role: role,
        via: "sql",
      },
      ...{ user_agent: "psql", reason: "ticket 7", request_id: null },
    });
  });

  test("an actor, and only of that actor what was said by acting()", async () => {
    const app = await install();
    const [ann, bob] = [
      await createUser(sql, fresh("u"), ["*"]),
      await createUser(sql, fresh("u"), ["*"]),
    ];
    const origin = {
      ...{ via: "token", keyId: null, ip: "192.0.2.7", userAgent: "curl", requestId: "r1" },
      reason: "because",
    };
    const rows = await written(() =>
      sql.begin(async (tx) => {
        await tx`
          select carillon.create_cron(app => ${app}, name => 'a', schedule => '* * * * *',
            actor => carillon.acting(principal => ${ann}, origin => ${tx.json(origin)}))`;
        await tx`select carillon.create_cron(app => ${app}, name => 'b', schedule => '* * * * *', actor => ${bob})`;
        await tx`select carillon.create_cron(app => ${app}, name => 'c', schedule => '* * * * *')`;
      }),
    );
    expect(rows).toMatchObject([
      {
        ...{ actor_id: ann, via: "token", ip: "192.0.2.7", user_agent: "curl", request_id: "r1" },
        reason: "because",
      },
      { actor_id: bob, via: "sql", ip: null, user_agent: null, request_id: null, reason: null },
      { actor_kind: "database", via: "sql", request_id: null, reason: null },
    ]);
    // Nothing stays on the connection.
    const [after] = await written(
      () =>
        sql`select carillon.create_cron(app => ${app}, name => 'd', schedule => '* * * * *', actor => ${ann})`,
    );
    expect(after).toMatchObject({ actor_id: ann, via: "sql", request_id: null });
  });
});

describe("the log is kept", () => {
  test("as it was written: no row is changed, deleted or truncated away, by the owner neither", async () => {
    await install();
    for (const statement of [
      sql`update carillon.audit_log set actor_name = 'nobody'`,
      sql`delete from carillon.audit_log`,
      sql`truncate carillon.audit_log`,
    ]) {
      expect(await refusal(statement)).toMatchObject({ code: "TK403" });
    }
  });

  test("until its retention ends, 30 days at least; then the sweep deletes it", async () => {
    await using own = await createTestDatabase();
    await setClock(own.sql, "2026-03-02T10:00:30Z");
    await own.sql`select carillon.install_app(app => 'crm')`;
    const count = async () =>
      (
        await one(own.sql<{ n: number }[]>`
          select count(*)::integer as n from carillon.audit_log where action = 'app.install'`)
      ).n;
    expect(await refusal(own.sql`select carillon.set_retention(audit_days => 29)`)).toMatchObject({
      ...{ code: "TK001", field: "auditRetentionDays" },
    });
    await advanceClock(own.sql, "400 days");
    await own.sql`select carillon.sweep()`;
    expect(await count()).toBe(1);
    await advanceClock(own.sql, "1 minute");
    await own.sql`select carillon.sweep()`;
    expect(await count()).toBe(0);
  });
});

test("every function that changes something is audited, or it is said here why not", async () => {
  const unaudited: Record<string, string> = {
    // The work itself: every job and slot is on record elsewhere.
    ...Object.fromEntries(
      [
        ...["append_logs", "claim_jobs", "enqueue_job", "enqueue_jobs", "extend_leases"],
        ...[
          "finish_jobs",
          "release_jobs",
          "admin_tick",
          "fire_beat",
          "fire_due",
          "fire_next_slot",
          "next_job_in",
          "sweep",
          "tick",
        ],
      ].map((name) => [name, "work"]),
    ),
    acting: "says who acts",
    authenticate_key: "notes a key's last use",
    fetch_secret: "notes a secret's last use",
    ...Object.fromEntries(
      ["abandon_probe", "begin_probe", "note_failure", "note_recovery"].map((name) => [
        name,
        "what came of calls, which jobs have on record",
      ]),
    ),
    now: "the clock",
    note_worker: "says that it is there",
    forget_worker: "says that it is there no more",
    begin_seed: "what it lets be installed is audited",
    begin_request: "what it asks about is audited where it is done",
    end_request: "what it answers is audited where it is done",
    provision_identity: "by what it calls",
    refresh_database_roles: "by what it calls",
    ...Object.fromEntries(
      ["create_cron", "update_cron", "set_cron_enabled", "declare_cron"].map((name) => [
        name,
        "by what it calls",
      ]),
    ),
    ...Object.fromEntries(
      ["delete_cron", "set_principal_enabled", "bootstrap_admin"].map((name) => [
        name,
        "by what it calls",
      ]),
    ),
  };
  const rows = await sql<{ name: string; body: string }[]>`
    select proname as name, prosrc as body from pg_proc
    where pronamespace = 'carillon'::regnamespace and provolatile = 'v' and not starts_with(proname, '_')
    order by 1`;
  const silent = rows.filter(({ body }) => !/carillon\._audit(_all)?\(/.test(body));
  expect(silent.map(({ name }) => name)).toEqual(Object.keys(unaudited).sort());
});

describe("list_audit", () => {
  test("filters by app, actor, action and time, and pages without gaps through rows of one instant", async () => {
    const app = await install();
    const other = await install();
    const ann = await createUser(sql, fresh("ann"), ["*"]);
    const { username } = await one(sql<{ username: string }[]>`
      select username from carillon.get_principal(principal => ${ann})`);
    await sync(
      sql,
      app,
      ["a", "b", "c", "d"].map((name) => ({ name, schedule: "0 9 * * *" })),
      ann,
    );
    await createCron(sql, other, "x");
    const list = (args: {
      app?: string;
      actor?: string;
      action?: string;
      from?: string;
      to?: string;
      after?: number;
      max?: number;
    }) => sql<Entry[]>`
      select * from carillon.list_audit(app => ${args.app ?? null}, actor => ${args.actor ?? null}, action => ${args.action ?? null},
        from_at => ${args.from ?? null}, to_at => ${args.to ?? null}, after => ${args.after ?? null}, max_rows => ${args.max ?? 100})`;
    const actions = (rows: readonly Entry[]) => rows.map(({ action }) => action);
    expect(actions(await list({ app, action: "cron.*" }))).toEqual(Array(4).fill("cron.create"));
    expect(await list({ actor: username })).toEqual(await list({ actor: ann }));
    expect(actions(await list({ app, actor: ann, action: "app.deploy" }))).toEqual(["app.deploy"]);
    expect(await list({ app, to: "2026-03-01T00:00:00Z" })).toEqual([]);
    expect(await list({ app, from: "2026-03-01T00:00:00Z" })).toEqual(await list({ app }));
    const all = await list({ app });
    const paged: Entry[] = [];
    for (;;) {
      const last = paged.at(-1)?.id;
      const page = await list({ app, max: 2, ...(last === undefined ? {} : { after: last }) });
      paged.push(...page);
      if (page.length < 2) break;
    }
    expect(paged).toEqual(all);
    expect(await refusal(list({ max: 0 }))).toMatchObject({ code: "TK001", field: "limit" });
  });
});
