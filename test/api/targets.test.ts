import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestApi } from "./api.js";

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start();
  await api.sql`select carillon.install_app(app => 'crm')`;
});
afterAll(() => api[Symbol.asyncDispose]());

const HOOK = { type: "http", url: "https://example.com/hook" };
const CRONS = "/api/v1/apps/crm/crons";
const JOBS = "/api/v1/apps/crm/jobs";
const admin = (method: string, path: string, body?: unknown) =>
  api.as(api.admin, method, path, body === undefined ? {} : { body });

interface Problem {
  errors?: { field: string; message: string }[];
}
const faults = (body: unknown) => (body as Problem).errors?.map(({ field }) => field);

describe("the target of a cron", () => {
  test("is taken, shown, changed and reset", async () => {
    const target = { ...HOOK, method: "PUT", headers: { a: "b" }, body: { n: null }, timeout: 60 };
    const made = await admin("POST", CRONS, { name: "hook", schedule: "0 0 1 1 *", target });
    expect(made.status, made.text).toBe(201);
    expect(made.body).toMatchObject({ target });
    const { id } = made.body as { id: string };
    const changed = await admin("PATCH", `${CRONS}/${id}`, { target: HOOK });
    expect(changed.body).toMatchObject({ target: HOOK });
    const { body } = await admin("POST", `${CRONS}/${id}/trigger`);
    const job = await admin("GET", `${JOBS}/${(body as { msgId: number }).msgId}`);
    expect(job.body).toMatchObject({ cronId: id, target: HOOK, trigger: "manual" });
    const reset = await admin("PATCH", `${CRONS}/${id}`, { target: null });
    expect(reset.body).toMatchObject({ target: null });
  });

  test.each([
    [{ type: "pigeon" }, ["target.type"]],
    ["http", ["target"]],
    [{ type: "http" }, ["target.url"]],
    [{ ...HOOK, url: "ftp://example.com" }, ["target.url"]],
    [{ ...HOOK, method: "BREW", timeout: 301 }, ["target.method", "target.timeout"]],
    [{ ...HOOK, headers: { "Content-Length": "7" } }, ["target.headers.Content-Length"]],
    [{ ...HOOK, pigeon: true }, ["target.pigeon"]],
    [{ type: "container", image: "BusyBox:" }, ["target.image"]],
    [{ type: "faktory", jobType: "a", args: {} }, ["target.args"]],
    [{ type: "agent", url: "https://a.example", body: {} }, ["target.body"]],
  ])("is refused, naming what is wrong: %j", async (target, fields) => {
    const cron = { name: "no", schedule: "0 0 1 1 *", target };
    const created = await admin("POST", CRONS, cron);
    expect(created.status).toBe(400);
    expect(faults(created.body)).toEqual(fields);
    const deployed = await admin("PUT", "/api/v1/apps/crm/manifest", { crons: [cron] });
    expect(faults(deployed.body)).toEqual(fields.map((field) => `crons[0].${field}`));
    const enqueued = await admin("POST", JOBS, { target });
    expect(faults(enqueued.body)).toEqual(fields);
    const batch = await admin("POST", `${JOBS}/batch`, { jobs: [{ target }] });
    expect(faults(batch.body)).toEqual(fields.map((field) => `jobs[0].${field}`));
  });

  test("of 10,000 in a manifest costs little", async () => {
    const crons = Array.from({ length: 10_000 }, (_, n) => ({
      ...{ name: `c${n}`, schedule: "0 0 1 1 *" },
      target: { ...HOOK, headers: { authorization: "Bearer {{secret.TOKEN}}" } },
    }));
    const began = performance.now();
    const { status, text, body } = await admin("PUT", "/api/v1/apps/many/manifest", { crons });
    expect(status, text.slice(0, 500)).toBe(201);
    expect((body as { created: string[] }).created).toHaveLength(10_000);
    expect(performance.now() - began).toBeLessThan(30_000);
  }, 60_000);
});

describe("a delayed job with a target", () => {
  const enqueue = async (more: object = {}) => {
    const body = { runAt: "2099-01-01T00:00:00Z", target: HOOK, ...more };
    const made = await admin("POST", JOBS, body);
    expect(made.status, made.text).toBe(201);
    return (made.body as { msgId: number }).msgId;
  };

  test("is listed by its target, edited and canceled", async () => {
    const id = await enqueue();
    const list = await admin("GET", `${JOBS}?target=http&status=pending&sort=due`);
    expect(list.body).toMatchObject({ items: [{ msgId: id, target: HOOK, status: "pending" }] });
    const { body: none } = await admin("GET", `${JOBS}?target=faktory,container`);
    expect(none).toEqual({ items: [], nextCursor: null });
    const target = { type: "faktory", jobType: "remind" };
    const patch = { runAt: "2099-06-01T00:00:00Z", payload: { n: 1 }, target };
    const edited = await admin("PATCH", `${JOBS}/${id}`, patch);
    expect(edited.status, edited.text).toBe(200);
    expect(edited.body).toMatchObject({
      dueAt: "2099-06-01T00:00:00.000Z",
      payload: { n: 1 },
      target,
    });
    const canceled = await admin("POST", `${JOBS}/${id}/cancel`);
    expect(canceled.body).toMatchObject({ status: "canceled", target });
    expect((await admin("PATCH", `${JOBS}/${id}`, { payload: {} })).status).toBe(409);
    const again = await admin("POST", `${JOBS}/${id}/retry`);
    const { msgId } = again.body as { msgId: number };
    expect((await admin("GET", `${JOBS}/${msgId}`)).body).toMatchObject({ target, retryOf: id });
  });

  test("is not edited by what cannot be", async () => {
    const id = await enqueue();
    for (const [body, fields] of [
      [{}, ["body"]],
      [{ runAt: null }, ["runAt"]],
      [{ priority: 3 }, ["priority"]],
      [{ target: { type: "http" } }, ["target.url"]],
    ] as const) {
      const answer = await admin("PATCH", `${JOBS}/${id}`, body);
      expect(answer.status).toBe(400);
      expect(faults(answer.body)).toEqual(fields);
    }
  });
});

describe("the agent of a manifest", () => {
  const deploy = (agent: unknown) => admin("PUT", "/api/v1/apps/bot/manifest", { agent });
  const shown = async () => {
    const { body } = await admin("GET", "/api/v1/apps");
    return (body as { id: string; agent: unknown }[]).find(({ id }) => id === "bot")?.agent;
  };

  test("is kept and shown", async () => {
    for (const [agent, expected] of [
      [true, {}],
      [{ model: "any" }, { model: "any" }],
      [
        { endpoint: { url: "https://agent.example" } },
        { endpoint: { url: "https://agent.example" } },
      ],
      [false, null],
      [null, null],
    ]) {
      const answer = await deploy(agent);
      expect(answer.status, answer.text).toBeLessThan(300);
      expect(await shown()).toEqual(expected);
    }
  });

  test.each([
    ["yes", ["agent"]],
    [{ endpoint: "https://agent.example" }, ["agent.endpoint"]],
    [{ endpoint: {} }, ["agent.endpoint.url"]],
    [{ endpoint: { url: "https://a.example", method: "GET" } }, ["agent.endpoint.method"]],
  ])("is refused, naming what is wrong: %j", async (agent, fields) => {
    const answer = await deploy(agent);
    expect(answer.status).toBe(400);
    expect(faults(answer.body)).toEqual(fields);
  });
});
