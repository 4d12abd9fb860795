import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { problemOf, TestApi, type Caller } from "./api.js";

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start();
  await api.install("crm");
  await api.install("other");
});
afterAll(() => api[Symbol.asyncDispose]());

const JOBS = "/api/v1/apps/crm/jobs";

async function enqueue(body?: object, caller: Caller = api.admin): Promise<number> {
  const answer = await api.as(caller, "POST", JOBS, { body });
  expect(answer.status, answer.text).toBe(201);
  expect(answer.body).toEqual({ msgId: expect.any(Number) as number });
  return (answer.body as { msgId: number }).msgId;
}

const job = async (id: number) =>
  (await api.as(api.admin, "GET", `${JOBS}/${id}`)).body as Record<string, unknown>;

describe("enqueueing", () => {
  test("answers the message's id, and the job is there for its caller", async () => {
    const id = await enqueue({ payload: { task: "x", deep: { a: [1, null, "ä"] } } });
    expect(await job(id)).toMatchObject({
      msgId: id,
      appId: "crm",
      cronId: null,
      scheduledFor: null,
      trigger: "api",
      status: "queued",
      userId: api.admin.id,
      payload: { task: "x", deep: { a: [1, null, "ä"] } },
      result: null,
      error: null,
      attempt: 0,
      finishedAt: null,
    });
  });

  test("needs no body at all", async () => {
    expect(await job(await enqueue())).toMatchObject({ payload: {} });
    expect(await job(await enqueue({}))).toMatchObject({ payload: {} });
  });

  test("can be for later", async () => {
    const id = await enqueue({ runAt: "2099-05-08T10:30:00+02:00" });
    expect(await job(id)).toMatchObject({ status: "pending", dueAt: "2099-05-08T08:30:00.000Z" });
    expect(await job(await enqueue({ runAt: "2001-01-01T00:00:00Z" }))).toMatchObject({
      status: "queued",
    });
  });

  test("takes options, and shows them", async () => {
    const options = {
      ...{ priority: 7, maxAttempts: 3, retryDelay: 5, retryBackoff: 1.5, timeout: 60 },
      ...{ expiresAt: "2099-05-08T10:30:00Z", tags: ["nightly", "eu"] },
    };
    const id = await enqueue({ payload: {}, ...options });
    expect(await job(id)).toMatchObject({
      priority: 7,
      maxAttempts: 3,
      expiresAt: "2099-05-08T10:30:00.000Z",
      tags: ["nightly", "eu"],
      attempts: [],
    });
    expect(await job(await enqueue())).toMatchObject({
      ...{ priority: 0, maxAttempts: 1, expiresAt: null, tags: [] },
    });
  });

  test("with an idempotency key makes one job; another body is a conflict", async () => {
    const body = { payload: { a: 1 }, idempotencyKey: "order-1" };
    const id = await enqueue(body);
    expect(await enqueue(body)).toBe(id);
    const other = await api.as(api.admin, "POST", JOBS, { body: { ...body, payload: {} } });
    expect(other.status).toBe(409);
    expect(problemOf(other)).toMatchObject({ code: "idempotency_conflict" });
  });

  test.each(["userId", "user_id"])("for somebody else by %s needs act_as", async (field) => {
    const other = await api.caller(`other-${field}`, []);
    const user = await api.caller(`user-${field}`, ["app:crm:invoke"]);
    const agent = await api.caller(`agent-${field}`, ["app:crm:invoke", "app:crm:act_as"]);
    const refused = await api.as(user, "POST", JOBS, { body: { [field]: other.id } });
    expect(refused.status).toBe(403);
    expect(problemOf(refused).detail).toBe("missing app:crm:act_as");
    expect(await job(await enqueue({ [field]: user.id.toUpperCase() }, user))).toMatchObject({
      userId: user.id,
    });
    expect(await job(await enqueue({ [field]: other.id }, agent))).toMatchObject({
      userId: other.id,
    });
  });
});

test("a job that is unknown or another app's is not found", async () => {
  const id = await enqueue();
  for (const path of [`/api/v1/apps/other/jobs/${id}`, `${JOBS}/999999999`, `${JOBS}/0`]) {
    const answer = await api.as(api.admin, "GET", path);
    expect(answer.status, path).toBe(404);
    expect(problemOf(answer).code).toBe("job_not_found");
  }
});

describe("a job", () => {
  const act = (method: string, id: number, what = "", body?: object) =>
    api.as(api.admin, method, `${JOBS}/${id}${what}`, body === undefined ? {} : { body });

  test("can be moved, canceled, and run again as a new one that links to it", async () => {
    const id = await enqueue({ payload: { n: 1 }, runAt: "2099-05-08T10:30:00Z", tags: ["t"] });
    const moved = await act("PATCH", id, "", { runAt: "2099-06-01T00:00:00+02:00" });
    expect(moved.status, moved.text).toBe(200);
    expect(moved.body).toMatchObject({ status: "pending", dueAt: "2099-05-31T22:00:00.000Z" });
    const canceled = await act("POST", id, "/cancel", { reason: "no longer wanted" });
    expect(canceled.body).toMatchObject({ msgId: id, status: "canceled", attempts: [] });
    for (const [method, what, body] of [
      ["POST", "/cancel", undefined],
      ["PATCH", "", { runAt: "2099-06-01T00:00:00Z" }],
    ] as const) {
      const refused = await act(method, id, what, body);
      expect(refused.status).toBe(409);
      expect(problemOf(refused)).toMatchObject({
        code: "job_state",
        detail: `job ${id} has ended: it is canceled`,
      });
    }
    const again = await act("POST", id, "/retry");
    expect(again.status, again.text).toBe(201);
    const { msgId } = again.body as { msgId: number };
    expect(await job(msgId)).toMatchObject({
      ...{ status: "queued", trigger: "manual", retryOf: id, payload: { n: 1 }, tags: ["t"] },
    });
    expect((await act("POST", msgId, "/retry")).status).toBe(409);
    expect(await job(id)).toMatchObject({ status: "canceled", retryOf: null });
  });

  test("of another app is not there to be changed", async () => {
    const id = await enqueue();
    for (const [method, what, body] of [
      ["POST", "/cancel", undefined],
      ["POST", "/retry", undefined],
      ["PATCH", "", { runAt: "2099-06-01T00:00:00Z" }],
    ] as const) {
      const path = `/api/v1/apps/other/jobs/${id}${what}`;
      const answer = await api.as(api.admin, method, path, body === undefined ? {} : { body });
      expect(answer.status).toBe(404);
      expect(problemOf(answer)).toMatchObject({ code: "job_not_found" });
    }
    expect(await job(id)).toMatchObject({ status: "queued" });
  });
});
