import { randomBytes } from "node:crypto";

import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import { examine } from "../../src/deploy/doctor.js";
import { install } from "../../src/deploy/install.js";
import { migrate, plainSql } from "../../src/deploy/migrate.js";
import { committedMigrations } from "../../src/deploy/migrations.js";
import { type Engine, startEngine } from "../../src/dev/engines/index.js";
import { freePort } from "../../src/dev/engines/ports.js";
import { pgmqSql } from "../../src/dev/pgmq.js";
import { CarillonError } from "../../src/errors.js";
import { connect, type TestSql } from "../helpers/database.js";
import { withDatabase } from "../helpers/engine-url.js";
import { startCronEngine, type CronEngine } from "../helpers/engine.js";
import { claim, createCron, fireDue } from "../sql/support.js";

interface EmptyDatabase extends AsyncDisposable {
  name: string;
  url: string;
  sql: TestSql;
}

/** A database with nothing in it. */
async function emptyDatabase(server: string = inject("server").url): Promise<EmptyDatabase> {
  const name = `empty_${process.pid}_${randomBytes(4).toString("hex")}`;
  const admin = connect(withDatabase(server, "postgres"), 1);
  await admin.unsafe(`create database ${name} template template0`);
  const url = withDatabase(server, name);
  const sql = connect(url);
  return {
    name,
    url,
    sql,
    async [Symbol.asyncDispose]() {
      await sql.end({ timeout: 5 });
      await admin.unsafe(`drop database ${name} with (force)`);
      await admin.end({ timeout: 5 });
    },
  };
}

/** The error of something that has to fail. */
async function failure(work: Promise<unknown>): Promise<CarillonError> {
  const error = await work.then(
    () => new Error("should have failed"),
    (caught: unknown) => caught,
  );
  if (error instanceof CarillonError) return error;
  throw error;
}

/** Everything in a database that is not the server's own, and when it was written. */
const contents = (sql: TestSql) => sql`
  select n.nspname, c.relname, c.xmin::text as written
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname !~ '^(pg_|information_schema)'
  union all
  select n.nspname, p.proname || p.oid, p.xmin::text
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where n.nspname !~ '^(pg_|information_schema)'
  order by 1, 2`;

/** A slot decided and a job enqueued: what an installation is for. */
async function expectItWorks(sql: TestSql): Promise<void> {
  await sql`select carillon.install_app(app => 'crm')`;
  const { id } = await createCron(sql, "crm", "c");
  await sql`update carillon.crons set next_fire_at = date_trunc('minute', now()) where id = ${id}`;
  expect(await fireDue(sql)).toEqual({ fired: 1, failed: 0 });
  expect(await sql`select trigger from carillon.list_jobs(app => 'crm')`).toEqual([
    { trigger: "automatic" },
  ]);
}

describe("install", () => {
  test("twenty at once on an empty database all succeed, and one of them does the work", async () => {
    await using db = await emptyDatabase();
    const reports = await Promise.all(Array.from({ length: 20 }, () => install(db.url)));
    const ours = (await committedMigrations()).map(({ filename }) => filename);
    expect(
      reports.filter(({ applied }) => applied.length > 0).map(({ applied }) => applied),
    ).toEqual([ours]);
    expect(new Set(reports.map(({ pgCron }) => pgCron))).toEqual(new Set([null]));
    await expectItWorks(db.sql);
  });

  test("a second time changes nothing", async () => {
    await using db = await emptyDatabase();
    await install(db.url);
    const before = await contents(db.sql);
    expect(before.length).toBeGreaterThan(100);
    expect((await install(db.url)).applied).toEqual([]);
    expect(await contents(db.sql)).toEqual(before);
    const principals = await db.sql`select username from carillon.principals`;
    expect(principals).toEqual([{ username: "system" }]);
  });

  test("refuses a database whose tracker holds another project's migrations, and changes nothing", async () => {
    await using db = await emptyDatabase();
    await db.sql.unsafe(`
      create schema graphile_migrate;
      create table graphile_migrate.migrations (hash text primary key, previous_hash text, filename text, date timestamptz default now());
      insert into graphile_migrate.migrations values ('sha1:0000', null, '000001-theirs.sql');`);
    const before = await contents(db.sql);
    const error = await failure(install(db.url));
    expect(error).toMatchObject({ code: "foreign_migrations" });
    expect(error.message).toContain("000001-theirs.sql");
    expect(error.hint).toContain("--print");
    expect(await contents(db.sql)).toEqual(before);
    // What it was told to do instead works beside the other project.
    await db.sql.unsafe(await plainSql());
    await expectItWorks(db.sql);
  });

  test("refuses a database that a newer version has been in, and changes nothing", async () => {
    await using db = await emptyDatabase();
    await install(db.url);
    await db.sql`
      insert into graphile_migrate.migrations (hash, previous_hash, filename)
      select 'sha1:newer', max(hash), '999999-newer.sql' from graphile_migrate.migrations`;
    const before = await contents(db.sql);
    const error = await failure(install(db.url));
    expect(error).toMatchObject({ code: "foreign_migrations" });
    expect(error.message).toContain("999999-newer.sql");
    expect(error.hint).toContain("newer version of Carillon");
    expect(await contents(db.sql)).toEqual(before);
  });

  test("--print installs by one simple query; a migrate after that says so and changes nothing", async () => {
    await using db = await emptyDatabase();
    await db.sql.unsafe(await plainSql()).simple();
    await expectItWorks(db.sql);
    const before = await contents(db.sql);
    const error = await failure(install(db.url));
    expect(error).toMatchObject({ code: "foreign_migrations" });
    expect(error.message).toContain("plain SQL");
    expect(error.hint).toContain("carillon migrate --print");
    expect(await contents(db.sql)).toEqual(before);
  });

  test("--print a second time fails whole", async () => {
    await using db = await emptyDatabase();
    await db.sql.unsafe(await plainSql());
    const before = await contents(db.sql);
    await expect(db.sql.unsafe(await plainSql())).rejects.toThrow("already exists");
    expect(await contents(db.sql)).toEqual(before);
  });

  test("takes a pgmq that is there as plain SQL only, and leaves it as it is", async () => {
    await using db = await emptyDatabase();
    await db.sql.unsafe(await pgmqSql());
    await db.sql`select pgmq.create('theirs')`;
    await db.sql`select pgmq.send('theirs', '{}')`;
    expect((await install(db.url)).applied).not.toEqual([]);
    expect(await db.sql`select from pg_extension where extname = 'pgmq'`).toHaveLength(0);
    expect(await db.sql`select from pgmq.q_theirs`).toHaveLength(1);
    await expectItWorks(db.sql);
  });

  test("takes queues that exist, with what is in them", async () => {
    await using db = await emptyDatabase();
    await db.sql.unsafe(await pgmqSql());
    await db.sql`select pgmq.create('jobs')`;
    await db.sql`select pgmq.send('jobs', '{"app_id": "crm", "payload": {"old": true}}')`;
    await install(db.url);
    expect(await claim(db.sql, "crm")).toMatchObject([{ payload: { old: true } }]);
  });

  test("of a half-made installation nothing stays", async () => {
    await using db = await emptyDatabase();
    // What makes the migration fail at its very end: an index of ours is there already.
    await db.sql.unsafe(await pgmqSql());
    await db.sql`select pgmq.create('jobs')`;
    await db.sql`create index carillon_jobs_cron_idx on pgmq.q_jobs (vt)`;
    await expect(install(db.url)).rejects.toThrow();
    expect(await db.sql`select to_regnamespace('carillon') as schema`).toEqual([{ schema: null }]);
    await db.sql`drop index pgmq.carillon_jobs_cron_idx`;
    expect((await install(db.url)).applied).not.toEqual([]);
  });
});

describe("a server that is down, or is none", () => {
  test.each([
    ["nobody listens", async () => `postgres://postgres@127.0.0.1:${await freePort()}/x`],
    ["the name is unknown", () => Promise.resolve("postgres://postgres@nowhere.invalid:5432/x")],
  ])("is database_unavailable: %s", async (_what, url) => {
    const error = await failure(install(await url()));
    expect(error).toMatchObject({ code: "database_unavailable" });
    expect(error.message).not.toMatch(/ECONN|ENOTFOUND/);
  });
});

describe("a server without pgmq and pg_cron", () => {
  let engine: Engine;
  beforeAll(async () => {
    // The one of npm, told not to look where the development engine puts pgmq's files.
    engine = await startEngine({
      engine: "embedded",
      settings: { extension_control_path: "$system" },
    });
  });
  afterAll(() => engine.close());

  test("is pgmq_missing, with the way out, and changes nothing; pgmq's own SQL is that way", async () => {
    await using db = await emptyDatabase(engine.databaseUrl);
    const before = await contents(db.sql);
    const error = await failure(migrate(db.url));
    expect(error).toMatchObject({ code: "pgmq_missing" });
    expect(error.hint).toContain("carillon migrate --pgmq-sql pgmq.sql");
    expect(await contents(db.sql)).toEqual(before);

    const report = await install(db.url, { pgmqSql });
    expect(report.applied).not.toEqual([]);
    expect(report.pgCron).toBeNull();
    expect(report.pgCronMissing?.message).toBe("pg_cron is not installed on this server");
    expect(report.pgCronMissing?.hint).toMatch(
      /^install its package \(Debian: postgresql-\d+-cron\), set shared_preload_libraries = 'pg_cron' in postgresql\.conf, and restart the server$/,
    );
    await expectItWorks(db.sql);
    const findings = await examine(db.url);
    expect(findings.filter(({ state }) => state === "broken")).toEqual([]);
    expect(findings.find(({ check }) => check === "pg_cron")).toMatchObject({ state: "note" });
  });
});

describe.skipIf(inject("server").pgCron === null)("pg_cron", () => {
  let live: CronEngine;
  beforeAll(async () => {
    live = await startCronEngine();
  });
  afterAll(() => live[Symbol.asyncDispose]());

  test("that lives in another database: says so, with the line that changes it, and the ticker drives", async () => {
    await using db = await emptyDatabase(live.url);
    const report = await install(db.url);
    expect(report.pgCron).toBeNull();
    expect(report.pgCronMissing).toEqual({
      message: `pg_cron of this server lives in the database "carillon", not in "${db.name}"`,
      hint: `set cron.database_name = '${db.name}' in postgresql.conf, and restart the server`,
    });
    await expectItWorks(db.sql);
    expect(await db.sql`select carillon.pg_cron_status() as s`).toMatchObject([
      { s: { loaded: true, database: "carillon", driving: null } },
    ]);
  });

  test("that is not loaded: says so, though postgresql.conf names a database for it", async () => {
    const name = live.engine.name;
    await using engine = await startEngine({
      engine: name,
      settings: { shared_preload_libraries: "" },
    });
    const report = await install(engine.databaseUrl, name === "installed" ? { pgmqSql } : {});
    expect(report.pgCron).toBeNull();
    expect(report.pgCronMissing).toEqual({
      message: "pg_cron is installed but not loaded",
      hint: "set shared_preload_libraries = 'pg_cron' in postgresql.conf, and restart the server",
    });
  });

  test("with an owner who is no superuser: says what a superuser has to do, and then drives", async () => {
    await using own = await startCronEngine();
    const admin = own.sql;
    await admin.unsafe(`
      drop schema carillon cascade; drop schema graphile_migrate cascade; drop extension pg_cron;
      drop extension if exists pgmq cascade; drop schema if exists pgmq cascade;
      create role app login; grant create on database carillon to app`);
    const url = new URL(own.url);
    url.username = "app";
    const sql = connect(url.href, 2);
    try {
      await sql.unsafe(await pgmqSql());
      const refused = await install(url.href);
      expect(refused.pgCron).toBeNull();
      expect(refused.pgCronMissing).toEqual({
        message: 'the role "app" may not create the extension pg_cron',
        hint: "as a superuser: create extension pg_cron; grant usage on schema cron to app;",
      });
      await admin.unsafe("create extension pg_cron");
      expect((await install(url.href)).pgCronMissing).toEqual({
        message: 'the role "app" may not use pg_cron',
        hint: "as a superuser: grant usage on schema cron to app;",
      });
      await admin.unsafe("grant usage on schema cron to app");
      expect((await install(url.href)).pgCron).not.toBeNull();
      expect(await sql`select carillon.pg_cron_status() as s`).toMatchObject([
        { s: { loaded: true, database: "carillon" } },
      ]);
      await sql`select carillon.install_app(app => 'crm')`;
      const cron = await createCron(sql, "crm", "c", "1 1 1 1 *");
      const jobs =
        await admin`select username, jobid from cron.job where jobid = ${cron.pg_job_id}`;
      expect(jobs).toEqual([{ username: "app", jobid: cron.pg_job_id }]);
      await sql`select carillon.sweep()`;
      await sql`select carillon.delete_cron(cron => ${cron.id})`;
      await sql`select carillon.disable_pg_cron()`;
      expect(await admin`select from cron.job`).toHaveLength(0);
    } finally {
      await sql.end({ timeout: 5 });
    }
  });
});
