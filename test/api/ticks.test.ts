import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { advanceClock, setClock } from "../helpers/clock.js";
import { breakCron } from "../sql/decisions.js";
import { claim, drain, fireDue, type Job } from "../sql/support.js";
import { problemOf, TestApi, type Answer, type Caller } from "./api.js";

let api: TestApi;
let apps = 0;
let app: string;

beforeAll(async () => {
  api = await TestApi.start();
});
afterAll(() => api[Symbol.asyncDispose]());

/** Each test has an app of its own, and a clock that stands at 10:00:30, another day each time. */
beforeEach(async () => {
  apps += 1;
  app = `app${apps}`;
  await api.sql`delete from carillon.crons`;
  await setClock(api.db.sql, `2026-03-${String(apps).padStart(2, "0")}T10:00:30Z`);
  await api.install(app);
});

const day = () => `2026-03-${String(apps).padStart(2, "0")}`;
const at = (time: string) => `${day()}T${time.length === 5 ? `${time}:00` : time}.000Z`;

interface CronBody {
  id: string;
  enabled: boolean;
  consecutiveFailures: number;
  maxConsecutiveFailures: number | null;
  paused: { at: string; by: string | null; note: string | null } | null;
}
async function declare(name: string, fields: object = {}, appId = app): Promise<string> {
  const body = { name, schedule: "* * * * *", ...fields };
  const made = await api.as(api.admin, "POST", `/api/v1/apps/${appId}/crons`, { body });
  expect(made.status, made.text).toBe(201);
  return (made.body as CronBody).id;
}
const call = (method: string, path: string, body?: object, caller = api.admin) =>
  api.as(caller, method, `/api/v1/apps/${app}/crons/${path}`, body === undefined ? {} : { body });

const minute = async (by = "1 minute") => {
  await advanceClock(api.db.sql, by);
  await fireDue(api.db.sql);
};

interface TickBody {
  scheduledFor: string;
  outcome: string;
  msgId: number | null;
  blockedBy: number | null;
  reason: string | null;
  driver: string;
  decidedAt: string;
  lag: number;
}
interface Page {
  items: TickBody[];
  nextCursor: string | null;
}

describe("GET …/ticks", () => {
  const list = async (id: string, query = "") => {
    const answer = await call("GET", `${id}/ticks${query}`);
    expect(answer.status, answer.text).toBe(200);
    return answer.body as Page;
  };
  const minutes = ({ items }: Page) => items.map(({ scheduledFor }) => scheduledFor.slice(11, 16));

  test("shows each decided slot with its outcome, its jobs and its lag", async () => {
    const id = await declare("c");
    await advanceClock(api.db.sql, "-28 seconds");
    await minute();
    await minute();
    const { items, nextCursor } = await list(id);
    const [second, first] = items;
    expect(first).toEqual({
      cronId: id,
      appId: app,
      scheduledFor: at("10:01"),
      outcome: "enqueued",
      reason: null,
      msgId: expect.any(Number) as number,
      blockedBy: null,
      driver: "api",
      decidedAt: `${day()}T10:01:02.000Z`,
      lag: 2,
    });
    expect(second).toMatchObject({
      outcome: "skipped",
      reason: "a job of this cron is still queued or running",
      msgId: null,
      blockedBy: first?.msgId,
    });
    expect(nextCursor).toBeNull();
  });

  test("pages, newest first, through all of them", async () => {
    const id = await declare("c", { overlapPolicy: "queue" });
    for (let i = 0; i < 7; i += 1) await minute();
    const pages: string[][] = [];
    let query = "?limit=3";
    for (;;) {
      const page = await list(id, query);
      pages.push(minutes(page));
      if (page.nextCursor === null) break;
      query = `?limit=3&cursor=${encodeURIComponent(page.nextCursor)}`;
    }
    expect(pages).toEqual([["10:07", "10:06", "10:05"], ["10:04", "10:03", "10:02"], ["10:01"]]);
  });

  test("filters by outcomes and by time, alone and together", async () => {
    const id = await declare("c");
    for (let i = 1; i <= 6; i += 1) {
      await minute();
      if (i % 2 === 0) await drain(api.db.sql, app);
    }
    const filtered = async (query: string) => minutes(await list(id, `?${query}`));
    expect(await filtered("outcome=enqueued")).toEqual(["10:05", "10:03", "10:01"]);
    expect(await filtered("outcome=enqueued,skipped&limit=1")).toEqual(["10:06"]);
    expect(await filtered("outcome=failed")).toEqual([]);
    const range = `from=${at("10:02")}&to=${at("10:04")}`;
    expect(await filtered(range)).toEqual(["10:04", "10:03", "10:02"]);
    expect(await filtered(`${range}&outcome=skipped`)).toEqual(["10:04", "10:02"]);
    expect(await filtered(`${range}&outcome=skipped&cursor=${at("10:04")}`)).toEqual(["10:02"]);
    const offset = encodeURIComponent(`${day()}T15:34:00+05:30`);
    expect(await filtered(`from=${offset}`)).toEqual(["10:06", "10:05", "10:04"]);
  });

  test.each([
    ["?outcome=done", "outcome"],
    ["?outcome=", "outcome"],
    ["?limit=0", "limit"],
    ["?limit=501", "limit"],
    ["?cursor=yesterday", "cursor"],
    ["?from=2026-03-02", "from"],
    ["?to=infinity", "to"],
    ["?until=2026-03-02T00:00:00Z", "until"],
    ["?include=audit", "include"],
  ])("refuses %s by name", async (query, field) => {
    const answer = await call("GET", `${await declare("c")}/ticks${query}`);
    expect(answer.status).toBe(400);
    expect(JSON.stringify(problemOf(answer).errors)).toContain(field);
  });

  test("with include=events, shows each slot's job and how it came to what it is", async () => {
    const { sql } = api.db;
    const target = { type: "http", url: "https://example.com" };
    const id = await declare("c", {
      overlapPolicy: "queue",
      maxAttempts: 2,
      retryDelay: 60,
      target,
    });
    const finish = (jobs: readonly Job[], outcome: object) =>
      sql`select carillon.finish_jobs(${sql.json(
        jobs.map(({ job_id, attempt }) => ({ job_id, attempt, ...outcome })),
      )})`;
    const error = { name: "status", message: "answered 500" };
    await minute();
    const first = await claim(sql, `@${app}`);
    await advanceClock(sql, "5 seconds");
    await finish(first, { status: "failed", error, result: { body: "why" } });
    await minute();
    await minute();
    const both = await claim(sql, `@${app}`, 100, 30, "w2");
    expect(both).toHaveLength(3);
    const [again] = both.filter(({ job_id }) => job_id === first[0]?.job_id);
    await finish([again!], { status: "completed", result: { body: "done" } });
    const [canceled] = both.filter(({ job_id }) => job_id !== again?.job_id);
    await sql`select carillon.cancel_job(job => ${canceled!.job_id}, reason => 'no more')`;
    await api.db.sql`update carillon.crons set overlap_policy = 'skip' where id = ${id}`;
    await minute();

    const [skipped, ...rest] = (await list(id, "?include=events")).items as (TickBody & {
      job: object | null;
    })[];
    expect(skipped).toMatchObject({ outcome: "skipped", job: null });
    const done = rest.find(({ msgId }) => msgId === again?.job_id);
    const begun = { at: at("10:01:30"), attempt: null, worker: null, error: null };
    expect(done?.job).toEqual({
      ...{ msgId: again?.job_id, status: "completed", attempt: 2, cancelReason: null, dueAt: null },
      finishedAt: at("10:03:35"),
      events: [
        { ...begun, event: "enqueued", status: "queued" },
        { ...begun, event: "started", status: "running", attempt: 1, worker: "w1" },
        {
          ...{ at: at("10:01:35"), event: "attempt_failed", status: "pending" },
          ...{ attempt: 1, worker: "w1", error },
        },
        {
          ...{ at: at("10:03:35"), event: "started", status: "running" },
          ...{ attempt: 2, worker: "w2", error: null },
        },
        {
          ...{ at: at("10:03:35"), event: "ended", status: "completed" },
          ...{ attempt: 2, worker: "w2", error: null },
        },
      ],
    });
    expect(rest.find(({ msgId }) => msgId === canceled?.job_id)?.job).toMatchObject({
      ...{ status: "canceled", cancelReason: "no more" },
    });
    const running = rest.find(({ msgId }) => ![again?.job_id, canceled?.job_id].includes(msgId!));
    expect(running?.job).toMatchObject({ status: "queued", finishedAt: null });

    expect((await list(id)).items[0]).not.toHaveProperty("job");
    const reader = await api.caller(`reader-of-${app}`, [`app:${app}:cron.read`]);
    const refused = await call("GET", `${id}/ticks?include=events`, undefined, reader);
    expect(problemOf(refused).detail).toBe(`missing app:${app}:job.read`);
    expect((await call("GET", `${id}/ticks`, undefined, reader)).status).toBe(200);
  });

  test("knows no cron of another app", async () => {
    const id = await declare("c");
    const other = await api.as(api.admin, "GET", `/api/v1/apps/nowhere/crons/${id}/ticks`);
    expect(other.status).toBe(404);
    const answer = await call("GET", "11111111-1111-4111-8111-111111111111/ticks");
    expect(answer.status).toBe(404);
  });
});

describe("POST …/trigger with respectOverlap", () => {
  test("answers 409 with the job in the way, and 200 without it", async () => {
    const id = await declare("c");
    const first = await call("POST", `${id}/trigger`, { respectOverlap: true });
    expect(first.status).toBe(200);
    const refused = await call("POST", `${id}/trigger`, { respectOverlap: true });
    expect(refused.status).toBe(409);
    expect(problemOf(refused)).toMatchObject({ code: "overlap" });
    const { msgId } = first.body as { msgId: number };
    expect(problemOf(refused).detail).toContain(`job ${msgId}`);
    expect((await call("POST", `${id}/trigger`, { respectOverlap: false })).status).toBe(200);
    expect((await call("POST", `${id}/trigger`)).status).toBe(200);
  });
});

describe("POST …/backfill", () => {
  interface BackfillBody {
    id: string | null;
    dryRun: boolean;
    count: number;
    slots: string[];
  }
  const range = () => ({ from: at("07:00"), to: at("10:00") });

  test("lists with dryRun, enqueues without, and shows its progress", async () => {
    const id = await declare("c", { schedule: "0 * * * *" });
    const path = `${id}/backfill`;
    const dry = await call("POST", path, { ...range(), dryRun: true });
    const slots = ["07:00", "08:00", "09:00", "10:00"].map(at);
    expect(dry.body).toEqual({ id: null, dryRun: true, count: 4, slots });
    expect((await call("GET", `${id}/backfills`)).body).toEqual([]);

    const run = await call("POST", path, { ...range(), concurrency: 3 });
    const { id: backfillId } = run.body as BackfillBody;
    expect(run.body).toEqual({ id: expect.any(String) as string, dryRun: false, count: 4, slots });
    expect((await call("GET", `${id}/backfills`)).body).toEqual([
      {
        ...{ id: backfillId, ...range(), concurrency: 3, slots: 4, enqueued: 3 },
        ...{ createdBy: api.admin.id, createdAt: `${day()}T10:00:30.000Z`, finishedAt: null },
      },
    ]);
    await drain(api.db.sql, app);
    await api.sql`select carillon.tick()`;
    expect((await call("GET", `${id}/backfills`)).body).toMatchObject([
      { enqueued: 4, finishedAt: `${day()}T10:00:30.000Z` },
    ]);
    const ticks = (await call("GET", `${id}/ticks?outcome=caught_up`)).body as Page;
    expect(ticks.items.map(({ driver }) => driver)).toEqual(Array(4).fill("backfill"));
    // What is done is not done again.
    expect((await call("POST", path, range())).body).toMatchObject({ id: null, count: 0 });
  });

  test("refuses bad input by name, and what is not the caller's", async () => {
    const id = await declare("c");
    const refused = async (body: object) => {
      const answer = await call("POST", `${id}/backfill`, body);
      expect(answer.status).toBe(400);
      return JSON.stringify(problemOf(answer));
    };
    expect(await refused({ from: at("07:00"), to: at("23:00") })).toContain("future");
    expect(await refused({ from: at("09:00"), to: at("08:00") })).toContain("to");
    expect(await refused({ from: at("09:00") })).toContain("to");
    expect(await refused({ ...range(), concurrency: 0 })).toContain("concurrency");
    expect(await refused({ ...range(), concurrency: 1.5 })).toContain("concurrency");
    expect(await refused({ ...range(), dry: true })).toContain("dry");
    expect(await refused({ from: "2025-01-01T00:00:00Z", to: at("08:00") })).toContain("slots");
    const other = await api.caller(`trigger-${app}`, [`app:${app}:cron.trigger`]);
    const answer = await call("POST", `${id}/backfill`, range(), other);
    expect(answer.status).toBe(403);
    expect(problemOf(answer).code).toBe("not_owner");
  });
});

describe("POST /api/v1/admin/tick", () => {
  interface Ticked {
    fired: { cronId: string; scheduledFor: string; outcome: string; msgId: number | null }[];
    failed: { cronId: string; scheduledFor: string; error: string }[];
    skippedAlreadyFired: number;
    skippedNotMatching: number;
    skippedExpired: number;
    held: boolean;
  }
  const NOTHING = {
    ...{ fired: [], failed: [], skippedAlreadyFired: 0 },
    ...{ skippedNotMatching: 0, skippedExpired: 0, held: false },
  };
  const request = (caller: Caller): Promise<Answer> => api.as(caller, "POST", "/api/v1/admin/tick");
  const tick = async (caller = api.admin) => {
    const answer = await request(caller);
    expect(answer.status, answer.text).toBe(200);
    return answer.body as Ticked;
  };

  test("fires what is due, and explains what it did not fire", async () => {
    const due = await declare("due");
    await declare("hourly", { schedule: "0 * * * *" });
    await declare("paused", { enabled: false });
    await declare("over", { schedule: "at 2020-01-01T00:00:00Z" });
    await advanceClock(api.db.sql, "40 seconds");
    const fired = { cronId: due, scheduledFor: at("10:01"), outcome: "enqueued" };
    expect(await tick()).toEqual({
      ...NOTHING,
      fired: [{ ...fired, msgId: expect.any(Number) as number }],
      skippedNotMatching: 1,
      skippedExpired: 1,
    });
    // Again in the same minute, at the very same time and a little later.
    const again = { ...NOTHING, skippedAlreadyFired: 1, skippedNotMatching: 1, skippedExpired: 1 };
    expect(await tick()).toEqual(again);
    await advanceClock(api.db.sql, "10 seconds");
    expect(await tick()).toEqual(again);
    await drain(api.db.sql, app);
    await advanceClock(api.db.sql, "50 seconds");
    expect((await tick()).fired).toMatchObject([{ ...fired, scheduledFor: at("10:02") }]);
  });

  test("tells of a slot however late it is, and of a once cron that is over with it", async () => {
    const id = await declare("c", { schedule: `at ${at("10:30")}`, catchUpWindow: 86_400 });
    await advanceClock(api.db.sql, "5 hours");
    const { fired } = await tick();
    expect(fired).toMatchObject([{ cronId: id, scheduledFor: at("10:30"), outcome: "caught_up" }]);
    expect(await tick()).toEqual({ ...NOTHING, skippedExpired: 1 });
  });

  test("tells what failed, with the error, and fires the others", async () => {
    const good = await declare("good");
    const bad = await declare("bad");
    await breakCron(api.db.sql, bad);
    await advanceClock(api.db.sql, "1 minute");
    const { fired, failed } = await tick();
    expect(fired.map(({ cronId }) => cronId)).toEqual([good]);
    expect(failed).toEqual([
      { cronId: bad, scheduledFor: at("10:01"), error: "the disk of this cron is full" },
    ]);
    await api.db.sql.unsafe("drop function public.refuse() cascade");
  });

  test("drives all apps, and tells and counts only what its caller may see", async () => {
    const other = `${app}-other`;
    await api.install(other);
    const mine = await declare("mine");
    await declare("theirs", {}, other);
    await declare("their-hourly", { schedule: "0 * * * *" }, other);
    await declare("their-past", { schedule: "at 2020-01-01T00:00:00Z" }, other);
    const reader = [`app:${app}:cron.read`, "system:tick"];
    const seer = await api.caller(`seer-${app}`, reader);
    const blind = await api.caller(`blind-${app}`, ["system:tick"]);
    await advanceClock(api.db.sql, "1 minute");
    const seen = await tick(seer);
    expect(seen).toMatchObject({ ...NOTHING, fired: [{ cronId: mine }] });
    expect(JSON.stringify(seen)).not.toContain("their");
    const jobs = await api.sql`select distinct message ->> 'app_id' as app from pgmq.q_jobs
      where message ->> 'app_id' like ${`${app}%`}`;
    expect(jobs).toHaveLength(2);
    expect(await tick(seer)).toEqual({ ...NOTHING, skippedAlreadyFired: 1 });
    expect(await tick(blind)).toEqual(NOTHING);
    await advanceClock(api.db.sql, "1 minute");
    expect(await tick(blind)).toEqual(NOTHING);
    expect(await tick()).toMatchObject({ skippedAlreadyFired: 2, skippedNotMatching: 1 });
  });

  test("needs a permission of its own", async () => {
    const id = await declare("c");
    await advanceClock(api.db.sql, "1 minute");
    for (const [name, held] of Object.entries({
      app: [`app:${app}:*`, "app:*"],
      read: ["system:read", "system:release"],
    })) {
      const answer = await request(await api.caller(`${name}-${app}`, held));
      expect(answer.status).toBe(403);
      expect(problemOf(answer).detail).toBe("missing system:tick");
    }
    expect((await api.request("POST", "/api/v1/admin/tick")).status).toBe(401);
    expect(((await call("GET", `${id}/ticks`)).body as Page).items).toEqual([]);
  });
});

test("a cron paused for its failures says so, may be triggered, and starts from zero again", async () => {
  const id = await declare("c", { maxConsecutiveFailures: 2 });
  for (let i = 0; i < 2; i += 1) {
    await minute();
    const outcomes = (await claim(api.db.sql, app)).map(({ job_id, attempt }) => ({
      ...{ job_id, attempt, status: "failed", error: { message: "no" } },
    }));
    await api.sql`select carillon.finish_jobs(outcomes => ${api.sql.json(outcomes)})`;
  }
  await minute();
  const one = async () => (await call("GET", id)).body as CronBody;
  const [system] = await api.sql<{ id: string }[]>`
    select id from carillon.principals where kind = 'system'`;
  expect(await one()).toMatchObject({
    enabled: false,
    consecutiveFailures: 2,
    maxConsecutiveFailures: 2,
    paused: { at: `${day()}T10:03:30.000Z`, by: system?.id, note: "2 jobs in a row failed" },
  });
  expect((await call("POST", `${id}/trigger`, { respectOverlap: true })).status).toBe(200);
  const resumed = await call("PATCH", id, { enabled: true });
  expect(resumed.body).toMatchObject({ enabled: true, consecutiveFailures: 0, paused: null });
});
