import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { ApiKey, App, Cron, Job, Principal, Role, Tick } from "../../src/client/index.js";
import { claimJobs, finishJobs } from "../../src/db/jobs.js";
import { appendLogs } from "../../src/db/logs.js";
import { type Caller, TestApi } from "../api/api.js";
import { serve } from "../../src/worker/serve.js";
import { FaktoryDouble } from "../targets/faktory/double.js";
import { json, run } from "./cli.js";

// Every step is a process of its own, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

let api: TestApi;
let reader: Caller;
beforeAll(async () => {
  api = await TestApi.start();
  await api.install("crm");
  reader = await api.caller("reader", ["app:crm:cron.read", "app:crm:job.read"]);
});
afterAll(() => api[Symbol.asyncDispose]());

const asAdmin = () => ({
  env: { CARILLON_URL: api.server.url, CARILLON_KEY: api.admin.key, CARILLON_APP: "crm" },
});
const asReader = () => ({ env: { ...asAdmin().env, CARILLON_KEY: reader.key } });
const words = (text: string) => text.split(" ");

describe("crons", () => {
  test("live their life", async () => {
    const cron = await json<Cron>(
      [
        ...["crons", "create", "nightly", "0 3 * * *", "--timezone", "Europe/London"],
        ...[
          "--payload",
          '{"deep":true}',
          "--catch-up-window",
          "2h",
          "--tags",
          "a,b",
          "--dst-gap",
          "skip",
        ],
      ],
      asAdmin(),
    );
    expect(cron).toMatchObject({
      ...{ name: "nightly", timezone: "Europe/London", payload: { deep: true } },
      ...{ catchUpWindow: 7200, tags: ["a", "b"], dst: { gap: "skip", fold: "first" } },
    });
    const edit = [
      "crons",
      "edit",
      "nightly",
      "--schedule",
      "30 3 * * *",
      "--unset",
      "timezone,tags",
    ];
    expect(await json(edit, asAdmin())).toMatchObject({
      schedule: "30 3 * * *",
      timezone: "GMT",
      tags: [],
    });
    expect(await json(["crons", "pause", cron.id, "--note", "moving"], asAdmin())).toMatchObject({
      paused: { note: "moving" },
    });
    const table = await run(["crons", "list"], asAdmin());
    expect(table.stdout).toMatch(
      /^NAME +SCHEDULE +TIMEZONE +STATE +NEXT\nnightly +30 3 \* \* \* +GMT +paused: moving +-\n$/,
    );
    expect(await json(words("crons resume nightly"), asAdmin())).toMatchObject({ enabled: true });
    const shown = await run(words("crons show nightly"), asAdmin());
    expect(shown.stdout).toMatch(/^schedule +30 3 \* \* \*$/m);
    expect(await json<Cron[]>(words("crons list --all"), asAdmin())).toHaveLength(1);

    const next = ["crons", "next", "nightly", "-n", "2", "--from", "2026-05-01T00:00:00Z"];
    expect(await json(next, asAdmin())).toMatchObject({
      slots: [{ at: "2026-05-01T03:30:00.000Z" }, { at: "2026-05-02T03:30:00.000Z" }],
    });
    const range = words("--from 2026-05-01T00:00:00Z --to 2026-05-05T00:00:00Z");
    const dry = await run([...words("crons backfill nightly --dry-run"), ...range], asAdmin());
    expect(dry.stdout).toMatch(/^would enqueue 4 slots\n {2}2026-05-01T03:30/);
    await json([...words("crons backfill nightly --concurrency 10 --wait"), ...range], asAdmin());
    expect(await json<Tick[]>(words("crons ticks nightly -n 3"), asAdmin())).toHaveLength(3);
    expect(await json(words("crons runs nightly"), asAdmin())).toEqual([]);

    const asked = await run(words("crons delete nightly"), asAdmin());
    expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining("--yes") as string });
    expect((await run(words("crons delete nightly --yes"), asAdmin())).stdout).toBe(
      "deleted nightly\n",
    );
  });

  test("are refused with a reason and a code that tells", async () => {
    const cases: [string[], number, RegExp][] = [
      [["crons", "create", "bad", "0 25 * * *"], 2, /hour/],
      [["crons", "create", "bad"], 2, /missing required argument 'schedule'/],
      [["crons", "list", "--nope"], 2, /unknown option '--nope'/],
      [["crons", "show", "nobody"], 3, /no cron named "nobody".*\n.*hint: carillon crons list/],
      [["crons", "edit", "nobody"], 2, /nothing to change/],
      [["crons", "next"], 2, /either a cron or --schedule/],
      [["crons", "create", "x", "* * * * *", "--payload", "[1]"], 2, /must be a JSON object/],
      [["crons", "create", "x", "* * * * *", "--jitter", "soon"], 2, /seconds, or such as 90s/],
    ];
    for (const [args, code, message] of cases) {
      const ended = await run(args, asAdmin());
      expect(ended, args.join(" ")).toMatchObject({ code, stdout: "" });
      expect(ended.stderr).toMatch(message);
    }
    const denied = await run(["crons", "create", "x", "* * * * *"], asReader());
    expect(denied).toMatchObject({ code: 3, stderr: "carillon: missing app:crm:cron.write\n" });
    const first = await run(["crons", "create", "twice", "* * * * *"], asAdmin());
    expect(first.code).toBe(0);
    expect((await run(["crons", "create", "twice", "* * * * *"], asAdmin())).code).toBe(4);
  });
});

test("the queues of Faktory servers are listed, or it is said why not", async () => {
  await using faktory = await FaktoryDouble.start();
  const url = `tcp://127.0.0.1:${faktory.port}`;
  const env = { CARILLON_FAKTORY_DEFAULT_URL: url, CARILLON_FAKTORY_GONE_URL: "tcp://127.0.0.1:1" };
  const listed = await run(["faktory", "queues", "default"], { env });
  expect(listed, listed.stderr).toMatchObject({ code: 0 });
  expect(listed.stdout).toMatch(/^default {2}\S+ {2}\d+\n/);
  const gone = await run(["faktory", "queues"], { env });
  expect(gone.code).not.toBe(0);
  expect(gone.stderr).toMatch(/gone: no connection/);
  expect((await run(["faktory", "queues"])).stderr).toContain("CARILLON_FAKTORY_DEFAULT_URL");
});

describe("jobs", () => {
  const say = (jobId: number, messages: string[]) => {
    const lines = messages.map((message) => JSON.stringify({ message }));
    return appendLogs(api.sql, [{ jobId, attempt: 1, seq: undefined, lines }], 0, false);
  };

  test("are enqueued, shown, moved, canceled and run again", async () => {
    const { msgId } = await json<{ msgId: number }>(
      [
        "jobs",
        "enqueue",
        "--method",
        "remind",
        "--payload",
        "-",
        "--run-at",
        "2099-01-01T00:00:00Z",
      ],
      { ...asAdmin(), input: '{"user":7}' },
    );
    const id = String(msgId);
    expect(await json(["jobs", "show", id], asAdmin())).toMatchObject({
      ...{ status: "pending", payload: { method: "remind", user: 7 } },
    });
    expect(await json(["jobs", "move", id, "2098-01-01T00:00:00Z"], asAdmin())).toMatchObject({
      dueAt: "2098-01-01T00:00:00.000Z",
    });
    const canceled = await run(["jobs", "cancel", id, "--reason", "wrong"], asAdmin());
    expect(canceled.stdout).toBe(`job ${id}: canceled\n`);
    expect((await run(["jobs", "cancel", id], asAdmin())).code).toBe(4);
    expect(await json(["jobs", "retry", id], asAdmin())).toMatchObject([{ retryOf: msgId }]);
    const list = ["jobs", "list", "--status", "canceled"];
    expect(await json<Job[]>(list, asAdmin())).toMatchObject([{ msgId }]);
    expect((await run(["jobs", "cancel", id], asReader())).code).toBe(3);
    expect((await run(["jobs", "show", "999999"], asAdmin())).code).toBe(3);
    expect((await run(["jobs", "show", "x"], asAdmin())).code).toBe(2);
  });

  test("and crons are given targets, which the export has", async () => {
    const target = { type: "http", url: "https://example.com/hook" };
    const given = ["--target", JSON.stringify(target)];
    const { msgId } = await json<{ msgId: number }>(
      ["jobs", "enqueue", "--run-at", "2099-01-01T00:00:00Z", ...given],
      asAdmin(),
    );
    const listed = await json<Job[]>(["jobs", "list", "--target", "http"], asAdmin());
    expect(listed).toMatchObject([{ msgId, target }]);
    await json(["crons", "create", "hook", "0 0 1 1 *", ...given], asAdmin());
    const agent = { endpoint: { url: "https://agent.example/" } };
    await api.as(api.admin, "PUT", "/api/v1/apps/bot/manifest", { body: { agent } });
    const exported = await run(["export", "--app", "bot"], asAdmin());
    expect(exported.stdout).toContain("https://agent.example/");
    const crm = await run(["export", "--app", "crm"], asAdmin());
    expect(crm.stdout).toContain("https://example.com/hook");
    const bad = ["jobs", "enqueue", "--target", '{"type": "pigeon"}'];
    expect(await run(bad, asAdmin())).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("target.type") as string,
    });
  });

  test("print their logs, also live, and nothing that would act on the terminal", async () => {
    const { msgId } = await json<{ msgId: number }>(["jobs", "enqueue"], asAdmin());
    for (const { jobId } of await claimJobs(api.sql, ["crm"], "w", 10, 300)) {
      if (jobId !== msgId) await finishJobs(api.sql, [{ jobId, attempt: 1, status: "completed" }]);
    }
    await say(msgId, ["one", "\u001b[2Jtwo"]);
    const id = String(msgId);
    const { stdout } = await run(["jobs", "logs", id], asReader());
    expect(stdout).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ info {2}one\n.* info {2}\\x1b\[2Jtwo\n$/,
    );
    const following = run(["jobs", "logs", id, "-f", "--json"], asReader());
    await say(msgId, ["three"]);
    await finishJobs(api.sql, [
      { jobId: msgId, attempt: 1, status: "failed", error: { name: "Error", message: "no" } },
    ]);
    const ended = await following;
    const lines = ended.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { message: string });
    expect(lines.map(({ message }) => message)).toEqual(["one", "\u001b[2Jtwo", "three"]);
    // The job failed, and so does who waits for it.
    expect(ended.code).toBe(1);
  });

  test("are waited for", async () => {
    await api.install("work");
    const options = { databaseUrl: api.db.url, logger: api.logger, ticker: false, signals: false };
    const worker = serve(
      { ...options, app: "work" },
      { onJob: () => Promise.resolve({ done: 1 }) },
    );
    const waited = await json<Job>(["jobs", "enqueue", "--wait", "--app", "work"], asAdmin());
    await worker.stop();
    expect(waited).toMatchObject({ status: "completed", result: { done: 1 } });
  });
});

describe("apps, users, roles and keys", () => {
  test("are administered", async () => {
    expect((await json<App[]>(["apps", "list"], asAdmin())).map(({ id }) => id)).toContain("crm");
    expect(await json(["apps", "show", "crm"], asAdmin())).toMatchObject({ id: "crm" });
    expect((await run(["apps", "show", "none"], asAdmin())).code).toBe(3);
    expect(
      await json(words("apps edit crm --name Sales --max-concurrency 5"), asAdmin()),
    ).toMatchObject({ name: "Sales", maxConcurrency: 5 });
    expect(await json(words("apps edit crm --unset name,maxConcurrency"), asAdmin())).toMatchObject(
      { name: null, maxConcurrency: null },
    );
    expect((await run(["apps", "edit", "crm"], asAdmin())).code).toBe(2);
    await api.install("gone");
    expect((await run(words("apps uninstall gone -y"), asAdmin())).stdout).toBe(
      "uninstalled gone\n",
    );

    const role = ["roles", "create", "ops", "--permissions", "app:crm:cron.read,app:crm:job.read"];
    expect(await json<Role>(role, asAdmin())).toMatchObject({ name: "ops" });
    expect(
      await json<Principal>(words("users create robot --service --roles ops"), asAdmin()),
    ).toMatchObject({
      ...{ kind: "service", roles: ["ops"] },
    });
    expect(await json(words("users revoke robot ops"), asAdmin())).toMatchObject({ roles: [] });
    expect(await json(words("users grant robot ops"), asAdmin())).toMatchObject({ roles: ["ops"] });
    expect(await json(words("users disable robot"), asAdmin())).toMatchObject({ enabled: false });
    expect((await run(words("users list --kind service"), asAdmin())).stdout).toMatch(
      /robot +service +disabled +ops/,
    );
    expect((await run(words("users create robot"), asAdmin())).code).toBe(4);
    expect((await run(words("users list"), asReader())).code).toBe(3);
    await run(words("users delete robot -y"), asAdmin());
    await run(words("roles delete ops -y"), asAdmin());
    expect((await run(words("roles show ops"), asAdmin())).code).toBe(3);
    expect((await run(["whoami"], asReader())).stdout).toBe(
      "reader (user)\n  app:crm:cron.read\n  app:crm:job.read\n",
    );
  });

  test("a key is made in the database, listed and revoked; not made over the API by another key", async () => {
    const env = { DATABASE_URL: api.db.url };
    const made = await run(words("keys create reader --name second --scopes app:crm:cron.read"), {
      env,
    });
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^crl_\S+\n$/) as string });
    const mine = { env: { ...asAdmin().env, CARILLON_KEY: made.stdout.trim() } };
    expect((await run(["crons", "list"], mine)).code).toBe(0);
    const keys = await json<ApiKey[]>(["keys", "list", "--user", "reader"], asAdmin());
    const second = keys.find(({ name }) => name === "second");
    expect(second).toMatchObject({ scopes: ["app:crm:cron.read"], status: "active" });
    await run(["keys", "revoke", second!.id], asAdmin());
    expect(await run(["crons", "list"], mine)).toMatchObject({ code: 3 });
    const refused = await run(["keys", "create", "boss", "--url", api.server.url], asAdmin());
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining("key") as string });
  });

  test("tick works in the database and over the API", async () => {
    const inside = await run(["tick"], { env: { DATABASE_URL: api.db.url } });
    const outside = await run(["tick"], asAdmin());
    for (const { stdout } of [inside, outside])
      expect(JSON.parse(stdout)).toMatchObject({ failed: [] });
    expect((await run(["tick"], asReader())).code).toBe(3);
    expect(await run(["tick"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("DATABASE_URL") as string,
    });
  });
});
