import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { claimJobs, finishJobs } from "../../src/db/jobs.js";
import { problemOf, TestApi, type Answer } from "./api.js";

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start();
  await api.install("other");
});
afterAll(() => api[Symbol.asyncDispose]());

interface Listed {
  items: { msgId: number; status: string; tags: string[] }[];
  nextCursor: string | null;
}

const call = async <T>(method: string, path: string, body?: object, status = 200): Promise<T> => {
  const answer = await api.as(api.admin, method, `/api/v1/apps/${path}`, { body });
  expect(answer.status, answer.text).toBe(status);
  return answer.body as T;
};
const fieldsOf = (answer: Answer) => problemOf(answer).errors?.map(({ field }) => field);
const idsOf = ({ items }: Listed) => items.map(({ msgId }) => msgId);

/** An app with 10 jobs of which two have completed, two failed and three wait. */
async function appWithJobs(app: string): Promise<number[]> {
  await api.install(app);
  const jobs = Array.from({ length: 10 }, (_, n) => ({
    payload: { n },
    tags: [n % 2 === 0 ? "even" : "odd"],
    ...(n >= 7 ? { runAt: `2099-01-0${10 - n}T00:00:00Z` } : {}),
  }));
  const { msgIds } = await call<{ msgIds: number[] }>("POST", `${app}/jobs/batch`, { jobs }, 201);
  const claimed = await claimJobs(api.sql, [app], "w", 4, 60);
  const error = {
    name: "TypeError",
    message: "no",
    stack: "TypeError: no\n at x",
    cause: { name: "Error", message: "deep" },
  };
  await finishJobs(
    api.sql,
    claimed.map(({ jobId, attempt }, at) =>
      at < 2
        ? { jobId, attempt, status: "completed" }
        : { jobId, attempt, status: "failed", error },
    ),
  );
  return msgIds;
}

describe("the list of jobs", () => {
  test("has live and finished ones together, by filters, orders and cursors", async () => {
    const ids = await appWithJobs("lists");
    const list = (query: string) => call<Listed>("GET", `lists/jobs${query}`);
    const newest = ids.toReversed();
    expect(await list("")).toMatchObject({ nextCursor: null });
    expect(idsOf(await list(""))).toEqual(newest);
    expect(idsOf(await list("?sort=oldest"))).toEqual(ids);
    expect(idsOf(await list("?status=completed,failed"))).toEqual(newest.slice(6));
    expect(idsOf(await list("?archived=true"))).toEqual(newest.slice(6));
    expect(idsOf(await list("?archived=false"))).toEqual(newest.slice(0, 6));
    expect(idsOf(await list("?status=live&tag=odd"))).toEqual([ids[9], ids[7], ids[5]]);
    expect(idsOf(await list("?trigger=manual"))).toEqual([]);
    expect(idsOf(await list("?trigger=manual,api&status=failed"))).toEqual([ids[3], ids[2]]);
    expect(idsOf(await list("?finishedAfter=2020-01-01T00:00:00Z"))).toEqual(newest.slice(6));
    expect(idsOf(await list("?finishedBefore=2020-01-01T00:00:00Z"))).toEqual([]);
    // Those of 1, 2 and 3 January.
    expect(idsOf(await list("?sort=due&status=pending"))).toEqual([ids[9], ids[8], ids[7]]);
    const pages: number[][] = [];
    let cursor = "";
    do {
      const page = await list(`?limit=4${cursor}`);
      pages.push(idsOf(page));
      cursor = page.nextCursor === null ? "" : `&cursor=${page.nextCursor}`;
    } while (cursor !== "");
    expect(pages).toEqual([newest.slice(0, 4), newest.slice(4, 8), newest.slice(8)]);
  });

  test("knows no app that is not installed", async () => {
    const answer = await api.as(api.admin, "GET", "/api/v1/apps/nowhere/jobs");
    expect(answer.status).toBe(404);
    expect(problemOf(answer).code).toBe("app_not_found");
  });

  test.each([
    ["status=done", "status"],
    ["status=failed,done", "status"],
    ["trigger=cron", "trigger"],
    ["tag=", "tag"],
    ["finishedAfter=yesterday", "finishedAfter"],
    ["sort=random", "sort"],
    ["sort=due&status=failed", "sort"],
    ["cursor=nonsense", "cursor"],
    ["offset=5", "offset"],
  ])("?%s is refused, naming %s", async (query, field) => {
    const answer = await api.as(api.admin, "GET", `/api/v1/apps/other/jobs?${query}`);
    expect(answer.status).toBe(400);
    expect([...new Set(fieldsOf(answer)?.map((name) => name.replace(/\[.*/, "")))]).toEqual([
      field,
    ]);
  });
});

test("one job shows its error in full, its options, and its links both ways", async () => {
  const [, , failed = 0] = await appWithJobs("single");
  const { msgId } = await call<{ msgId: number }>(
    "POST",
    `single/jobs/${failed}/retry`,
    undefined,
    201,
  );
  expect(await call("GET", `single/jobs/${failed}`)).toMatchObject({
    error: {
      name: "TypeError",
      message: "no",
      stack: "TypeError: no\n at x",
      cause: { name: "Error", message: "deep" },
    },
    ...{ retryOf: null, retriedBy: [msgId], timeout: null, retryDelay: null, cancelReason: null },
    attempts: [{ attempt: 1, worker: "w", error: { name: "TypeError" } }],
  });
  expect(await call("GET", `single/jobs/${msgId}`)).toMatchObject({
    retryOf: failed,
    retriedBy: [],
  });
  const canceled = await call("POST", `single/jobs/${msgId}/cancel`, { reason: "not now" });
  expect(canceled).toMatchObject({ status: "canceled", cancelReason: "not now" });
});

describe("a batch", () => {
  const batch = (body: object) =>
    api.as(api.admin, "POST", "/api/v1/apps/other/jobs/batch", { body });
  const live = () => api.sql`select from pgmq.q_jobs where message ->> 'app_id' = 'other'`;

  test("gives the same jobs for the same keys", async () => {
    const jobs = [{ idempotencyKey: "a", payload: { x: 1 } }, {}, { idempotencyKey: "b" }];
    const first = (await batch({ jobs })).body as { msgIds: number[] };
    const second = (await batch({ jobs })).body as { msgIds: number[] };
    expect(second.msgIds).toEqual([first.msgIds[0], expect.any(Number), first.msgIds[2]]);
    expect(await live()).toHaveLength(4);
  });

  test.each([
    [400, "jobs[1].priority", { jobs: [{}, { priority: "high" }] }],
    [400, "jobs[1].colour", { jobs: [{}, { colour: "red" }] }],
    [400, "jobs[0].userId", { jobs: [{ userId: "x" }] }],
    [400, "jobs[2].expiresAt", { jobs: [{}, {}, { expiresAt: "2020-01-01T00:00:00Z" }] }],
    [400, "jobs", { jobs: [] }],
    [409, "jobs[1].idempotencyKey", { jobs: [{}, { idempotencyKey: "a", payload: { x: 2 } }] }],
  ])("is refused whole (%i) for %s", async (status, field, body) => {
    const before = (await live()).length;
    const answer = await batch(body);
    expect(answer.status, answer.text).toBe(status);
    expect(fieldsOf(answer)).toEqual([field]);
    expect(await live()).toHaveLength(before);
  });

  test("for somebody else needs act_as", async () => {
    const user = await api.caller("batch-user", ["app:other:invoke"]);
    const body = { jobs: [{}], userId: api.admin.id };
    const answer = await api.as(user, "POST", "/api/v1/apps/other/jobs/batch", { body });
    expect(answer.status).toBe(403);
  });
});

describe("many jobs at once", () => {
  test("are canceled and run again by filter", async () => {
    const ids = await appWithJobs("bulk");
    const cancel = { filter: { tag: "even", status: ["pending", "queued"] } };
    expect(await call("POST", "bulk/jobs/cancel", { ...cancel, dryRun: true })).toEqual({
      ...{ dryRun: true, matched: 3, canceled: 0, nextCursor: null },
    });
    expect(await call("POST", "bulk/jobs/cancel", { ...cancel, reason: "moved" })).toMatchObject({
      canceled: 3,
    });
    const canceled = await call<Listed>("GET", "bulk/jobs?status=canceled");
    expect(idsOf(canceled)).toEqual([ids[8], ids[6], ids[4]]);
    const first = await call<{ nextCursor: string }>("POST", "bulk/jobs/retry", {
      filter: {},
      limit: 1,
    });
    expect(first).toMatchObject({
      matched: 1,
      retried: 1,
      skipped: 0,
      jobs: [{ retryOf: ids[3] }],
    });
    const rest = await call("POST", "bulk/jobs/retry", { filter: {}, cursor: first.nextCursor });
    expect(rest).toMatchObject({ retried: 1, jobs: [{ retryOf: ids[2] }], nextCursor: null });
    const again = await call("POST", "bulk/jobs/retry", {
      filter: { status: "failed", ids: ids.slice(2, 4) },
    });
    expect(again).toMatchObject({ matched: 2, retried: 0, skipped: 2 });
  });

  test.each([
    ["cancel", {}, "filter"],
    ["cancel", { filter: { status: "failed" } }, "status"],
    ["cancel", { filter: { colour: "red" } }, "filter.colour"],
    ["cancel", { filter: { status: "dead" } }, "filter.status"],
    ["cancel", { filter: {}, limit: 1001 }, "limit"],
    ["retry", { filter: { status: "live" } }, "status"],
    ["retry", { filter: { ids: [] } }, "filter.ids"],
    ["retry", { filter: {}, cursor: "x" }, "cursor"],
    ["retry", { filter: {}, reason: "x" }, "reason"],
  ])("%s of %j is refused, naming %s", async (what, body, field) => {
    const answer = await api.as(api.admin, "POST", `/api/v1/apps/other/jobs/${what}`, { body });
    expect(answer.status).toBe(400);
    expect(fieldsOf(answer)).toEqual([field]);
  });

  test("of an app that is not there are not found", async () => {
    for (const what of ["jobs/cancel", "jobs/retry"])
      await call("POST", `nowhere/${what}`, { filter: {} }, 404);
    for (const what of ["redrive", "delete"])
      await call("POST", `nowhere/dead-letters/${what}`, { all: true }, 404);
    await call("GET", "nowhere/dead-letters", undefined, 404);
    await call("POST", "nowhere/jobs/batch", { jobs: [{}] }, 404);
  });
});

test("dead letters are listed, put back to work, and deleted", async () => {
  await api.install("dead");
  await call(
    "POST",
    "dead/jobs/batch",
    { jobs: Array.from({ length: 4 }, (_, n) => ({ payload: { n } })) },
    201,
  );
  await api.sql`update pgmq.q_jobs set headers = headers || '{"lease": {"worker": "w"}, "lost": 4}', read_ct = 5, last_read_at = now()
    where message ->> 'app_id' = 'dead'`;
  await api.sql`select carillon._bury_lost_jobs()`;
  interface Letters {
    items: { id: number; jobId: number }[];
    count: number;
    nextCursor: string | null;
  }
  const page = await call<Letters>("GET", "dead/dead-letters?limit=3");
  expect(page).toMatchObject({
    count: 4,
    items: [{ reason: "lease_lost", payload: { n: 3 } }, {}, {}],
  });
  const last = await call<Letters>("GET", `dead/dead-letters?cursor=${page.nextCursor}`);
  expect(last).toMatchObject({ items: [{ payload: { n: 0 } }], nextCursor: null });
  const { id = 0, jobId = 0 } = page.items[0] ?? {};
  const foreign = await call("POST", "other/dead-letters/redrive", { ids: [id] });
  expect(foreign).toEqual({ redriven: 0, jobs: [], remaining: 0 });
  const redriven = await call<{ jobs: { msgId: number }[] }>("POST", "dead/dead-letters/redrive", {
    ids: [id],
  });
  expect(redriven).toMatchObject({ redriven: 1, jobs: [{ id, retryOf: jobId }] });
  expect(await call("GET", `dead/jobs/${redriven.jobs[0]?.msgId}`)).toMatchObject({
    status: "queued",
    retryOf: jobId,
    payload: { n: 3 },
  });
  expect(await call("POST", "dead/dead-letters/delete", { all: true, limit: 2 })).toEqual({
    deleted: 2,
    remaining: 1,
  });
  for (const body of [{}, { all: true, ids: [1] }, { ids: [] }]) {
    await call("POST", "dead/dead-letters/delete", body, 400);
  }
  expect(await call("GET", "dead/dead-letters")).toMatchObject({ count: 1 });
});
