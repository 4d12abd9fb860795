import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { linkIdentity } from "../../src/db/identities.js";
import { startDispatcher } from "../../src/dispatch/dispatcher.js";
import { readTargetsConfig } from "../../src/targets/config.js";
import { TestApi } from "../api/api.js";
import { Endpoint } from "../targets/http/endpoint.js";
import { until } from "../worker/helpers.js";

/* The curl lines of docs/targets.md, run as they stand there by a real curl. */

const PAGE = readFileSync(new URL("../../docs/targets.md", import.meta.url), "utf8");
const run = promisify(execFile);

/** The blocks for the shell that call curl, in order. */
const BLOCKS = [...PAGE.matchAll(/```sh\n([\s\S]*?)```/g)]
  .map(([, block = ""]) => block)
  .filter((block) => block.includes("curl "));

// Each answer on a line of its own; an answer of 400 and more ends the script.
const PRELUDE = 'curl() { command curl -sS --fail-with-body "$@"; echo; }\nset -e\n';

test("the curl lines of the page do what it says", async () => {
  await using endpoint = await Endpoint.start((_request, response) => response.end("welcome"));
  await using kratos = await Endpoint.start((request, response) => {
    const good = request.headers.cookie === "ory_kratos_session=good";
    response.writeHead(good ? 200 : 401, { "content-type": "application/json" });
    const identity = { id: "kratos-boss", state: "active" };
    response.end(JSON.stringify({ active: good, expires_at: "2099-01-01T00:00:00Z", identity }));
  });
  await using api = await TestApi.start({
    session: {
      whoamiUrl: `${kratos.url}/sessions/whoami`,
      cookie: "ory_kratos_session",
      ...{ rememberMs: 1000, timeoutMs: 5000 },
    },
  });
  await linkIdentity(api.sql, api.admin.id, { issuer: "session", subject: "kratos-boss" });
  await api.sql`select carillon.install_app(app => 'crm')`;
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? "",
    ...{ CARILLON_URL: api.server.url, CARILLON_KEY: api.admin.key, SESSION: "good" },
  };
  const answersOf = async (block: string) => {
    const script = PRELUDE + block.replaceAll("https://yourapp.com", endpoint.url);
    const { stdout } = await run("bash", ["-c", script], { env });
    return stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  expect(BLOCKS).toHaveLength(5);
  const [recurring = "", delayed = "", edit = "", executions = "", pause = ""] = BLOCKS;

  const [cron] = await answersOf(recurring);
  expect(cron).toMatchObject({
    ...{ name: "health-ping", schedule: "*/5 * * * *", enabled: true },
    target: { type: "http", url: `${endpoint.url}/health`, method: "GET" },
  });
  env.CRON = String(cron?.id);

  const [made] = await answersOf(delayed);
  env.JOB = String(made?.msgId);
  const [list, changed, canceled] = await answersOf(edit);
  expect(list).toMatchObject({
    items: [
      {
        ...{ msgId: made?.msgId, status: "pending", dueAt: "2099-04-10T09:00:00.000Z" },
        target: { body: '{"user_id": "usr_001"}' },
      },
    ],
  });
  expect(changed).toMatchObject({
    ...{ status: "pending", dueAt: "2099-05-01T09:00:00.000Z" },
    target: { type: "http", url: `${endpoint.url}/other` },
  });
  expect(canceled).toMatchObject({ status: "canceled" });

  // Another one, which is sent, and the cron's.
  const [second] = await answersOf(delayed.replace("2099-04-10T09:00:00Z", "2026-04-10T09:00:00Z"));
  env.JOB = String(second?.msgId);
  await api.as(api.admin, "POST", `/api/v1/apps/crm/crons/${env.CRON}/trigger`);
  await using _dispatcher = startDispatcher({
    ...{ sql: api.sql, logger: api.logger },
    targets: readTargetsConfig({ CARILLON_HTTP_ALLOW: "127.0.0.1" }),
  });
  await until(() => endpoint.received.length === 2, "both calls");
  const of = (path: string) => endpoint.received.find(({ url }) => url === path);
  expect(of("/health")).toMatchObject({ method: "GET", body: "" });
  expect(of("/internal/send-welcome")).toMatchObject({
    ...{ method: "POST", body: '{"user_id": "usr_001"}' },
  });
  expect(of("/internal/send-welcome")?.headers["content-type"]).toBeUndefined();
  const [job, ofCron] = await until(async () => {
    const answers = await answersOf(executions);
    return JSON.stringify(answers).includes('"running"') ? undefined : answers;
  }, "the end of both");
  const exchange = {
    statusCode: 200,
    body: "welcome",
    timing: { total: expect.any(Number) as number },
  };
  expect(job).toMatchObject({
    ...{ status: "completed", tags: ["welcome-email"] },
    attempts: [{ attempt: 1, error: null, result: exchange }],
  });
  expect(ofCron).toMatchObject({ items: [{ cronId: env.CRON, attempts: [{ result: exchange }] }] });

  const [paused, deleted] = await answersOf(pause);
  expect(paused).toMatchObject({ enabled: false });
  expect(deleted).toEqual({ message: "cron deleted" });
});
