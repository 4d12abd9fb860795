import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import { generateKey } from "../../src/api/keys.js";
import { startServer } from "../../src/api/server.js";
import { createApiKey } from "../../src/db/api-keys.js";
import { connect as connectPool } from "../../src/db/connect.js";
import { findPrincipal } from "../../src/db/principals.js";
import { examine } from "../../src/deploy/doctor.js";
import { serve } from "../../src/worker/serve.js";
import { startTicker } from "../../src/worker/ticker.js";
import {
  connect,
  createTestDatabase,
  type TestDatabase,
  type TestSql,
} from "../helpers/database.js";
import { memoryLogger, until } from "../worker/helpers.js";
import { claim, fingerprint, one, refusal } from "./support.js";

/*
 * The API and workers connect as roles that own nothing, execute what they need, and reach no app
 * they are not bound to.
 */

const unique = randomBytes(4).toString("hex");
/** Members of carillon_api and carillon_dispatcher; workers of crm and of billing; one bound to nothing; one without any right. */
const ROLES = ["api", "dispatcher", "crm", "billing", "unbound", "nobody"] as const;
type Role = (typeof ROLES)[number];
const nameOf = (role: Role) => `${role}_${unique}`;

let db: TestDatabase;
let sql: TestSql;
const as = {} as Record<Role, TestSql>;
const urls = {} as Record<Role, string>;

beforeAll(async () => {
  db = await createTestDatabase();
  sql = db.sql;
  for (const role of ROLES) {
    await sql.unsafe(`create role ${nameOf(role)} login password 'secret'`);
    const url = new URL(db.url);
    url.username = nameOf(role);
    url.password = "secret";
    urls[role] = url.href;
    as[role] = connect(url.href, 2);
  }
  await sql`select carillon.create_database_roles()`;
  await sql.unsafe(`grant carillon_api to ${nameOf("api")}`);
  await sql.unsafe(`grant carillon_dispatcher to ${nameOf("dispatcher")}`);
  await sql.unsafe(`grant carillon_worker to ${nameOf("unbound")}`);
  for (const app of ["crm", "billing"] as const) {
    await sql`select carillon.install_app(app => ${app})`;
    await sql`select carillon.bind_worker_role(role => ${nameOf(app)}, apps => ${[app]})`;
  }
});
afterAll(async () => {
  await Promise.all(ROLES.map((role) => as[role].end({ timeout: 5 })));
  const server = inject("server").url;
  await db.drop();
  const admin = connect(server, 1);
  for (const role of ROLES) await admin.unsafe(`drop role ${nameOf(role)}`);
  await admin.end();
});

/** The SQLSTATE a statement is refused with, or what it returns; nothing of it stays. */
async function outcome(role: Role, statement: string): Promise<unknown> {
  let answer: unknown;
  const undo = new Error("undo");
  try {
    await as[role].begin(async (tx) => {
      const rows = await tx.unsafe(statement);
      answer = rows.map((row: Record<string, unknown>) => Object.values(row)[0]);
      throw undo;
    });
  } catch (error) {
    if (error === undo) return answer;
    return (error as { code?: string }).code ?? error;
  }
  return answer;
}

interface Public {
  name: string;
  /** A call with nothing but nulls. */
  call: string;
}

const publicFunctions = () => sql<Public[]>`
  select p.proname as name, format('select carillon.%I(%s)', p.proname,
    (select string_agg(format('null::%s', format_type(t.type, null)), ', ' order by t.n)
     from unnest(p.proargtypes::oid[]) with ordinality as t (type, n))) as call
  from pg_proc p
  where p.pronamespace = 'carillon'::regnamespace and not starts_with(p.proname, '_')
  order by 1`;

const rightsOf = async (group: string) =>
  (
    await sql<{ name: string }[]>`
      select function_name as name from carillon.database_rights where role_name = ${group} order by function_name collate "C"`
  ).map(({ name }) => name);

describe("the matrix: every public function × every kind of role", () => {
  /** What a leased job of crm is to a worker of crm, and to every other one. */
  const JOB = { id: 0, attempt: 0 };
  const job = () => `array[${JOB.id}]::bigint[], array[${JOB.attempt}]`;
  const outcomes = (status: string) =>
    `'[{"job_id": ${JOB.id}, "attempt": ${JOB.attempt}, "status": "${status}", "error": {"message": "no"}}]'`;
  const chunk = () =>
    `'[{"job_id": ${JOB.id}, "attempt": ${JOB.attempt}, "lines": [{"message": "hi"}]}]'`;
  const ANYTHING: unknown = expect.any(Array);
  const WORKERS: Record<string, { call: () => string; own: () => unknown; foreign: unknown }> = {
    append_logs: {
      call: () => `select job_id::integer from carillon.append_logs(chunks => ${chunk()})`,
      own: () => [JOB.id],
      foreign: [],
    },
    claim_jobs: {
      call: () => `select c::jsonb ->> 2 from carillon.claim_jobs('{crm}', 'w', 10, 30) as c`,
      own: () => ["crm"],
      foreign: "TK403",
    },
    database_access: {
      call: () => `select carillon.database_access() -> 'owner'`,
      own: () => [false],
      foreign: [false],
    },
    enqueue_job: {
      call: () => `select carillon.enqueue_job(app => 'crm') > 0`,
      own: () => [true],
      foreign: "TK403",
    },
    extend_leases: {
      call: () => `select carillon.extend_leases(${job()}, 30)::integer`,
      own: () => [JOB.id],
      foreign: [],
    },
    finish_jobs: {
      call: () => `select carillon.finish_jobs(${outcomes("failed")})::integer`,
      own: () => [JOB.id],
      foreign: [],
    },
    forget_worker: {
      call: () => `select carillon.forget_worker('w', '{crm}')::text`,
      own: () => [""],
      foreign: "TK403",
    },
    get_job: {
      call: () => `select job_id::integer from carillon.get_job(${JOB.id})`,
      own: () => [JOB.id],
      foreign: "TK103",
    },
    list_apps: {
      call: () => `select id from carillon.list_apps() where id = 'crm'`,
      own: () => ["crm"],
      foreign: [],
    },
    next_job_in: {
      call: () => `select carillon.next_job_in('{crm}')`,
      own: () => [0],
      foreign: "TK403",
    },
    note_worker: {
      call: () => `select carillon.note_worker('w', '{crm}', 'host', 1, '1.0', 10)::text`,
      own: () => [""],
      foreign: "TK403",
    },
    now: { call: () => `select carillon.now()`, own: () => ANYTHING, foreign: ANYTHING },
    release_jobs: {
      call: () => `select carillon.release_jobs(${job()})::integer`,
      own: () => [JOB.id],
      foreign: [],
    },
    tick: { call: () => `select carillon.tick()`, own: () => ANYTHING, foreign: ANYTHING },
  };

  beforeAll(async () => {
    await sql`select carillon.enqueue_job(app => 'crm', max_attempts => 3)`;
    const [leased] = await claim(sql, "crm", 1);
    JOB.id = leased?.job_id ?? 0;
    JOB.attempt = leased?.attempt ?? 0;
    await sql`select carillon.enqueue_job(app => 'crm')`;
  });

  test("says of every function that workers have what it does for them", async () => {
    expect(Object.keys(WORKERS)).toEqual(await rightsOf("carillon_worker"));
  });

  test("a role without rights may execute nothing", async () => {
    const allowed: string[] = [];
    for (const { name, call } of await publicFunctions()) {
      if ((await outcome("nobody", call)) !== "42501") allowed.push(name);
    }
    expect(allowed).toEqual([]);
  });

  test.each(["crm", "billing", "unbound"] as const)(
    "a worker's role (%s) executes those of its group and no other",
    async (role) => {
      const denied: string[] = [];
      for (const { name, call } of await publicFunctions()) {
        const said = await outcome(role, WORKERS[name]?.call() ?? call);
        if (said === "42501") denied.push(name);
      }
      const all = (await publicFunctions()).map(({ name }) => name);
      expect(all.filter((name) => !denied.includes(name))).toEqual(Object.keys(WORKERS));
    },
  );

  test.each(["api", "dispatcher"] as const)(
    "the %s's role executes those of its group and no other, and none of them lacks a right inside",
    async (role) => {
      const allowed: string[] = [];
      for (const { name, call } of await publicFunctions()) {
        if ((await outcome(role, call)) !== "42501") allowed.push(name);
      }
      expect(allowed).toEqual(await rightsOf(`carillon_${role}`));
    },
  );

  test.each(Object.keys(WORKERS))(
    "%s serves the app's own workers, and none of another app",
    async (name) => {
      const { call, own, foreign } = WORKERS[name] ?? {
        call: () => "",
        own: () => "",
        foreign: "",
      };
      expect(await outcome("crm", call())).toEqual(own());
      expect(await outcome("billing", call())).toEqual(foreign);
      expect(await outcome("unbound", call())).toEqual(foreign);
    },
  );

  test("and what is refused to a foreign worker changes nothing and locks nothing", async () => {
    const before = await fingerprint(sql);
    for (const statement of [
      ...["append_logs", "extend_leases", "finish_jobs", "release_jobs"].map(
        (name) => WORKERS[name]?.call() ?? "",
      ),
      `select carillon.finish_jobs(${outcomes("completed")})`,
    ]) {
      await as.billing.begin(async (tx) => {
        await tx.unsafe(statement);
        await sql`select from pgmq.q_jobs where msg_id = ${JOB.id} for update nowait`;
      });
    }
    expect(await fingerprint(sql)).toEqual(before);
  });

  test("nor can a foreign worker speak for one that is there, or take it away", async () => {
    await sql`select carillon.note_worker('w', '{crm}', 'host', 1, '1.0', 10)`;
    await as.billing`select carillon.note_worker('w', '{billing}', 'elsewhere', 2, '2.0', 20)`;
    await as.billing`select carillon.forget_worker('w', '{billing}')`;
    expect(await sql`select name, keys, host from carillon.workers`).toEqual([
      { name: "w", keys: ["crm"], host: "host" },
    ]);
    await sql`truncate carillon.workers`;
  });

  test("a worker whose name is too long to keep is there until it leaves, all the same", async () => {
    const name = "w".repeat(300);
    await as.crm`select carillon.note_worker(${name}, '{crm}', 'host', 1, '1.0', 10)`;
    const kept = await sql`select length(name) as length from carillon.workers`;
    expect(kept).toEqual([{ length: 200 }]);
    await as.crm`select carillon.forget_worker(${name}, '{crm}')`;
    expect(await sql`select from carillon.workers`).toHaveLength(0);
  });

  test("no role but the owner reads or writes a table, or makes anything", async () => {
    for (const role of ROLES) {
      for (const statement of [
        "select * from carillon.crons",
        "select * from carillon.audit_log",
        "select * from carillon.api_keys",
        "select * from carillon.app_secrets",
        "select * from carillon.jobs",
        "select * from pgmq.q_jobs",
        "delete from carillon.database_roles",
        "create table carillon.mine ()",
      ]) {
        expect(await outcome(role, statement), `${role}: ${statement}`).toBe("42501");
      }
    }
  });
});

describe("secrets", () => {
  const FETCH = "select ciphertext from carillon.fetch_secret(app => 'crm', name => 'TOKEN')";
  beforeAll(async () => {
    await sql`
      select carillon.set_secret(app => 'crm', name => 'TOKEN', key_id => '0123456789abcdef', nonce => ${randomBytes(12)},
        ciphertext => ${Buffer.from("sealed in some way")})`;
  });

  test("sign for an app that has no key by one that its dispatcher makes", async () => {
    const ensure = `select carillon.ensure_signing_key('crm', gen_random_uuid(), '0123456789abcdef',
      decode(repeat('00', 12), 'hex'), decode(repeat('00', 60), 'hex'))`;
    expect(await outcome("dispatcher", ensure)).toHaveLength(1);
    for (const role of ["api", "crm", "billing", "unbound", "nobody"] as const) {
      expect(await outcome(role, ensure), role).toBe("42501");
    }
  });

  test("are fetched by dispatchers only, not by the API, nor by an app's own workers", async () => {
    expect(await outcome("dispatcher", FETCH)).toEqual([Buffer.from("sealed in some way")]);
    for (const role of ["api", "crm", "billing", "unbound", "nobody"] as const) {
      expect(await outcome(role, FETCH), role).toBe("42501");
    }
    expect(
      await outcome("api", "select to_jsonb(s)::text from carillon.list_secrets('crm') s"),
    ).toEqual([expect.not.stringContaining("ciphertext")]);
  });
});

describe("binding", () => {
  test("holds at once, is told to doctor, and is audited", async () => {
    const role = nameOf("unbound");
    await sql`select carillon.bind_worker_role(role => ${role}, apps => '{billing,crm}')`;
    expect(await outcome("unbound", "select id from carillon.list_apps()")).toEqual([
      "billing",
      "crm",
    ]);
    await sql`select carillon.unbind_worker_role(role => ${role})`;
    expect(await outcome("unbound", "select id from carillon.list_apps()")).toEqual([]);
    const rows = await sql<{ action: string; before: unknown; after: unknown }[]>`
      select action, before, after from carillon.audit_log where object_id = ${role} order by id`;
    expect([...rows]).toEqual([
      { action: "database.bind_role", before: null, after: { apps: ["billing", "crm"] } },
      { action: "database.unbind_role", before: { apps: ["billing", "crm"] }, after: null },
    ]);
  });

  test("a role of the owner's, of the API or of nobody's is refused", async () => {
    const bind = (role: string, apps: string[] = ["crm"]) =>
      refusal(sql`select carillon.bind_worker_role(role => ${role}, apps => ${apps})`);
    const { me } = await one(sql<{ me: string }[]>`select session_user as me`);
    for (const role of [me, nameOf("api"), "no_such_role"]) {
      expect(await bind(role)).toMatchObject({ code: "TK001", field: "role" });
    }
    expect(await bind(nameOf("unbound"), ["Not An App"])).toMatchObject({ code: "TK001" });
  });

  test("is not shed by set role, nor by what the session says of itself", async () => {
    const said = await outcome(
      "crm",
      "with c as (select set_config('role', 'carillon_worker', true)) select id from c, lateral (select id from carillon.list_apps()) a",
    );
    expect(said).toEqual(["crm"]);
  });

  test("rights are renewed by calling it again, and what was given beyond them is taken", async () => {
    await sql`revoke execute on function carillon.tick from carillon_worker`;
    await sql`grant execute on function carillon.sweep to carillon_worker`;
    expect(await outcome("crm", "select carillon.tick()")).toBe("42501");
    const findings = await examine(urls.crm);
    expect(findings.at(-1)).toMatchObject({ check: "role", state: "broken" });
    expect(findings.at(-1)?.message).toContain("carillon_worker: tick");
    expect(findings.at(-1)?.fix).toContain("carillon migrate --roles");
    expect(
      (await one(sql<{ done: boolean }[]>`select carillon.refresh_database_roles() as done`)).done,
    ).toBe(true);
    expect(await outcome("crm", "select carillon.tick()")).toEqual(expect.any(Array));
    expect(await outcome("crm", "select carillon.sweep()")).toBe("42501");
  });

  test("doctor says as whom one is connected, and what is missing", async () => {
    const found = async (role: Role) => (await examine(urls[role])).at(-1);
    expect(await found("api")).toMatchObject({ check: "role", state: "ok" });
    expect((await found("crm"))?.message).toMatch(/carillon_worker.*crm/);
    expect(await found("unbound")).toMatchObject({
      ...{
        check: "role",
        state: "broken",
        fix: expect.stringContaining("bind_worker_role") as string,
      },
    });
    expect(await found("nobody")).toMatchObject({ check: "role", state: "broken" });
  });
});

test("an API and a worker run a cron through, each as its own role", async () => {
  const { lines, logger } = memoryLogger();
  const pool = connectPool(urls.api, { max: 4 });
  const { key, prefix, hash } = generateKey();
  await sql`select carillon.create_principal(username => 'boss', roles => '{admin}')`;
  const owner = connectPool(db.url, { max: 1 });
  await createApiKey(owner, {
    ...{ principalId: await findPrincipal(owner, "boss"), name: "k", prefix, hash },
  });
  const ran: unknown[] = [];
  try {
    await using server = await startServer({ sql: pool, log: logger, host: "127.0.0.1", port: 0 });
    await using _ticker = startTicker({ sql: pool, log: logger });
    const worker = serve(
      { databaseUrl: urls.crm, app: "crm", logger, ticker: false, signals: false, drainSeconds: 2 },
      {
        onJob: async (payload, _caller, ctx) => {
          ctx.log.info("at work");
          ctx.progress(50);
          if (payload.again !== undefined) await ctx.enqueue({ last: true });
          ran.push(payload);
          return { done: true };
        },
      },
    );
    await worker.ready;
    const api = async (method: string, path: string, body?: object) => {
      const response = await fetch(server.url + path, {
        method,
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      expect(response.ok, text).toBe(true);
      return JSON.parse(text) as Record<string, unknown>;
    };
    // By its schedule, decided by the API's ticker and announced to the worker.
    const cron = { name: "every", schedule: "1 seconds", payload: { again: 1 } };
    const { id } = await api("POST", "/api/v1/apps/crm/crons", cron);
    await until(() => ran.length >= 2, "a cron and what it enqueued ran");
    await api("DELETE", `/api/v1/apps/crm/crons/${String(id)}`);
    await until(async () => {
      const [{ n } = { n: 0 }] = await sql<{ n: number }[]>`
        select count(*)::integer as n from carillon.job_history where app_id = 'crm' and result = '{"done": true}'`;
      return n >= 2;
    }, "they are in the history");
    const [logged] = await sql`select from carillon.job_logs where message = 'at work'`;
    expect(logged).toBeDefined();
    await worker.stop();
    expect(lines.filter(({ level }) => level === "error")).toEqual([]);
  } finally {
    await Promise.all([pool.end({ timeout: 5 }), owner.end({ timeout: 5 })]);
  }
});

describe("the rights are what the code needs", () => {
  const root = new URL("../../src/", import.meta.url);
  const filesOf = (folder: string) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => folder + name);
  const textOf = (file: string) => readFileSync(new URL(file, root), "utf8");

  /** SQL functions by the method of src/db that calls them, such as `db/jobs#claimJobs`. */
  const methods = new Map<string, string[]>();
  for (const file of filesOf("db/")) {
    for (const part of textOf(file).split(/^(?=export )/m)) {
      const [, method] = /^export (?:const|async function|function|class) (\w+)/.exec(part) ?? [];
      const called = [...part.matchAll(/carillon\.(\w+)\(/g)].map(([, name]) => name ?? "");
      if (part.includes("${acting(")) called.push("acting");
      if (/\$\{(verbs|eachOwner)\(/.test(part)) called.push("cron_verbs");
      if (method !== undefined) methods.set(`${file.replace(/\.ts$/, "")}#${method}`, called);
    }
  }

  function neededBy(files: readonly string[]): string[] {
    const needed = new Set<string>(["database_access"]);
    for (const file of files) {
      const text = textOf(file);
      const imports = text.matchAll(
        /import (?:type )?(\{[^}]*\}|\* as \w+) from "(?:\.\.\/)+(db\/[\w-]+)\.js"/g,
      );
      for (const [, what = "", from = ""] of imports) {
        const whole = /\* as (\w+)/.exec(what)?.[1];
        const names = whole
          ? [...text.matchAll(new RegExp(`\\b${whole}\\.(\\w+)`, "g"))].map(([, name]) => name)
          : what
              .replace(/[{}]/g, "")
              .split(",")
              .map((name) => name.trim());
        for (const name of names)
          methods.get(`${from}#${name ?? ""}`)?.forEach((f) => needed.add(f));
      }
    }
    return [...needed].sort();
  }

  test("of workers: what src/worker calls", async () => {
    expect(await rightsOf("carillon_worker")).toEqual(neededBy(filesOf("worker/")));
  });

  test("of the API: what src/api and carillon serve with its ticker call", async () => {
    const files = [...filesOf("api/"), "cli/serve.ts", "deploy/seed.ts", "worker/ticker.ts"];
    expect(await rightsOf("carillon_api")).toEqual(neededBy(files));
  });

  test("of dispatchers: what src/dispatch, opening secrets and a worker call, but for what handlers and hooks may", async () => {
    const files = [...filesOf("dispatch/"), ...filesOf("worker/"), "secrets/app-secrets.ts"];
    const needed = neededBy(files).filter((name) => !["enqueue_job", "list_apps"].includes(name));
    expect(await rightsOf("carillon_dispatcher")).toEqual(needed);
  });
});
