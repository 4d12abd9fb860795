import { once } from "node:events";
import { connect as dial } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startServer } from "../../src/api/server.js";
import type { StreamSettings } from "../../src/api/streaming.js";
import { connect } from "../../src/db/connect.js";
import { cancelJob, claimJobs, finishJobs } from "../../src/db/jobs.js";
import { appendLogs } from "../../src/db/logs.js";
import { until } from "../worker/helpers.js";
import { type Answer, problemOf, TestApi } from "./api.js";
import type { EventReader, ServerEvent } from "./events.js";
import { Proxy } from "./proxy.js";

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start();
  await api.install("crm");
  await api.install("other");
});
afterAll(() => api[Symbol.asyncDispose]());

const JOBS = "/api/v1/apps/crm/jobs";
const logs = (id: number, rest = "") => `${JOBS}/${id}/logs${rest}`;
const get = (path: string) => api.as(api.admin, "GET", path);

async function enqueue(): Promise<number> {
  const { body } = await api.as(api.admin, "POST", JOBS);
  return (body as { msgId: number }).msgId;
}
async function running(): Promise<number> {
  const id = await enqueue();
  await claim(id);
  return id;
}
async function claim(id: number) {
  await api.sql`update pgmq.q_jobs set vt = clock_timestamp() - interval '1 hour' where msg_id = ${id}`;
  const [job] = await claimJobs(api.sql, ["crm"], "w", 1, 300);
  expect(job?.jobId).toBe(id);
}
const finish = (jobId: number, attempt = 1) =>
  finishJobs(api.sql, [{ jobId, attempt, status: "completed" }]);
const append = (jobId: number, lines: object[], attempt = 1) =>
  appendLogs(
    api.sql,
    [{ jobId, attempt, seq: undefined, lines: lines.map((line) => JSON.stringify(line)) }],
    0,
    false,
  );
const say = (jobId: number, ...messages: string[]) =>
  append(
    jobId,
    messages.map((message) => ({ message })),
  );
const bulk = (jobId: number, count: number, length: number) => api.sql`
  insert into carillon.job_logs (job_id, seq, attempt, at, level, stream, message)
  select ${jobId}, n, 1, clock_timestamp(), 'info', 'log', rpad('line ' || n, ${length}, '.')
  from generate_series(1, ${count}::integer) n`;

interface Line {
  seq: number;
  message: string;
}
const linesOf = (answer: Answer) => (answer.body as { items: Line[] }).items;
const messageOf = ({ data }: ServerEvent) => (data as Line).message;

/** The API once more, with other settings for its streams. */
async function serveWith(streams: Partial<StreamSettings>, databaseUrl = api.db.url) {
  const sql = connect(databaseUrl, { max: 3 });
  const server = await startServer({ sql, log: api.logger, host: "127.0.0.1", port: 0, streams });
  return {
    ...{ sql, server },
    follow: (id: number, headers = {}) =>
      api.follow(api.admin, logs(id, "/stream"), headers, server.url),
    async [Symbol.asyncDispose]() {
      await server.close();
      await sql.end({ timeout: 0 });
    },
  };
}

describe("the lines of a job", () => {
  test("are listed page by page, both ways", async () => {
    const id = await running();
    await say(id, "one", "two", "three");
    const first = await get(logs(id, "?limit=2"));
    expect(first.status, first.text).toBe(200);
    expect(first.body).toMatchObject({
      items: [
        {
          ...{ seq: 1, attempt: 1, level: "info", stream: "log", message: "one" },
          ...{ data: null, percent: null, altered: null },
        },
        { seq: 2, message: "two" },
      ],
      nextCursor: 2,
    });
    const rest = await get(logs(id, "?limit=2&cursor=2"));
    expect(rest.body).toMatchObject({ items: [{ seq: 3, message: "three" }], nextCursor: null });
    const back = await get(logs(id, "?limit=2&order=desc"));
    expect(linesOf(back).map(({ seq }) => seq)).toEqual([3, 2]);
    expect((await get(logs(id, "?limit=2&order=desc&cursor=2"))).body).toMatchObject({
      items: [{ seq: 1 }],
      nextCursor: null,
    });
  });

  test("are found by level, stream, attempt and text", async () => {
    const id = await running();
    await append(id, [
      { message: "Disk is full", level: "error", data: { free: 0 } },
      { message: "50 % there", level: "warn" },
      { message: "half", stream: "progress", percent: 50 },
      { message: "printed", stream: "stdout", altered: { cutBytes: 5, replaced: 1 } },
    ]);
    await claim(id);
    await append(id, [{ message: "again" }], 2);
    const found = async (query: string) =>
      linesOf(await get(logs(id, query))).map(({ seq }) => seq);
    expect(await found("?level=warn,error")).toEqual([1, 2]);
    expect(await found("?stream=stdout,progress")).toEqual([3, 4]);
    expect(await found("?attempt=2")).toEqual([5]);
    expect(await found("?q=DISK")).toEqual([1]);
    expect(await found("?q=%22free%22")).toEqual([1]);
    expect(await found("?q=50%20%25")).toEqual([2]);
    expect(await found("?q=nothing")).toEqual([]);
    expect((await get(logs(id, "?stream=stdout"))).body).toMatchObject({
      items: [{ altered: { cutBytes: 5, replaced: 1 } }],
    });
  });

  test.each([
    ["?level=fatal", "level[0]"],
    ["?stream=tty", "stream[0]"],
    ["?order=up", "order"],
    ["?cursor=x", "cursor"],
    ["?cursor=-1", "cursor"],
    ["?attempt=one", "attempt"],
    ["?limit=1001", "limit"],
    ["?q=", "q"],
    ["?wat=1", "wat"],
  ])("are not found by %s", async (query, field) => {
    const answer = await get(logs(1, query));
    expect(answer.status).toBe(400);
    expect(problemOf(answer).errors?.map((error) => error.field)).toEqual([field]);
  });

  test.each(["", "/stream", "/download"])(
    "%s are not there for a job that is unknown or another app's",
    async (rest) => {
      const id = await running();
      await say(id, "secret");
      for (const path of [
        `/api/v1/apps/other/jobs/${id}/logs${rest}`,
        logs(999_999_999, rest),
        logs(0, rest),
      ]) {
        const answer = await get(path);
        expect(answer.status, path).toBe(404);
        expect(problemOf(answer).code).toBe("job_not_found");
        expect(answer.text).not.toContain("secret");
      }
    },
  );
});

test("how far a job is stands with the job, while it runs and after it", async () => {
  const id = await running();
  const job = async () => (await get(`${JOBS}/${id}`)).body as { progress: unknown };
  expect((await job()).progress).toBeNull();
  await append(id, [
    { message: "a", stream: "progress", percent: 10 },
    { message: "b", stream: "progress", percent: 62.5 },
    { message: "and a line" },
  ]);
  const progress = { percent: 62.5, note: "b", attempt: 1, at: expect.any(String) as string };
  expect(await job()).toMatchObject({ status: "running", progress });
  expect((await get(JOBS)).text).toContain('"percent":62.5,"note":"b"');
  await finish(id);
  expect(await job()).toMatchObject({ status: "completed", progress });
  expect((await get(`${JOBS}?status=finished`)).text).toContain('"percent":62.5,"note":"b"');
});

describe("a stream", () => {
  const follow = (id: number, rest = "", headers = {}) =>
    api.follow(api.admin, logs(id, `/stream${rest}`), headers);

  test("follows a job from the queue to its end, and ends then", async () => {
    const id = await enqueue();
    await using stream = await follow(id);
    expect(stream.response.headers.get("cache-control")).toBe("no-store");
    expect(stream.response.headers.get("x-accel-buffering")).toBe("no");
    expect(await stream.next()).toEqual({
      event: "status",
      id: undefined,
      data: { status: "queued", attempt: 0 },
    });
    await claim(id);
    expect((await stream.next())?.data).toEqual({ status: "running", attempt: 1 });
    await say(id, "one", "two\nlines");
    expect(await stream.take(2)).toMatchObject([
      { event: "log", id: "1", data: { seq: 1, message: "one", attempt: 1 } },
      { event: "log", id: "2", data: { seq: 2, message: "two\nlines" } },
    ]);
    await append(id, [{ message: "half", stream: "progress", percent: 50 }]);
    expect(await stream.next()).toMatchObject({
      ...{ event: "progress", id: "3", data: { percent: 50, note: "half", attempt: 1 } },
    });
    await say(id, "bye");
    await finish(id);
    const last = await stream.rest();
    expect(last.map(({ event }) => event)).toEqual(["log", "status", "end"]);
    expect(last[1]?.data).toEqual({ status: "completed", attempt: 1 });
    expect(last[2]?.data).toEqual({ status: "completed", seq: 4 });
  });

  test("goes on behind the last event a client has seen", async () => {
    const id = await running();
    await say(id, "one", "two", "three");
    let seen: string | undefined;
    {
      await using broken = await follow(id);
      [, { id: seen }] = (await broken.take(2)) as [ServerEvent, ServerEvent];
    }
    expect(seen).toBe("1");
    await finish(id);
    await using resumed = await follow(id, "", { "last-event-id": seen });
    expect((await resumed.rest()).map(({ event, id }) => [event, id])).toEqual([
      ["log", "2"],
      ["log", "3"],
      ["status", undefined],
      ["end", undefined],
    ]);
    await using after = await follow(id, "?after=2");
    expect((await after.rest()).map(({ event, id }) => [event, id])[0]).toEqual(["log", "3"]);
    // The header is of a later time than the address.
    await using both = await follow(id, "?after=1", { "last-event-id": "3" });
    expect((await both.rest()).map(({ event }) => event)).toEqual(["status", "end"]);
    const bad = await api.as(api.admin, "GET", logs(id, "/stream"), {
      headers: { "last-event-id": "x" },
    });
    expect(bad.status).toBe(400);
    expect(problemOf(bad).errors).toMatchObject([{ field: "Last-Event-ID" }]);
  });

  test("of an ended job is its whole log, however long it is", async () => {
    const id = await running();
    await bulk(id, 20_000, 20);
    await finish(id);
    await using stream = await follow(id);
    const events = await stream.rest();
    expect(events).toHaveLength(20_002);
    expect(events.slice(0, 20_000).every((event, n) => event.id === String(n + 1))).toBe(true);
    expect(events.at(-1)?.data).toEqual({ status: "completed", seq: 20_000 });
  });

  test("tells a canceled job from a completed one", async () => {
    const id = await running();
    await using stream = await follow(id);
    await stream.take(1);
    await cancelJob(api.sql, "crm", id);
    expect((await stream.rest()).map(({ data }) => data)).toEqual([
      { status: "canceled", attempt: 1 },
      { status: "canceled", seq: 0 },
    ]);
  });

  test("ends when its job is gone", async () => {
    const id = await enqueue();
    await using stream = await follow(id);
    await stream.take(1);
    await api.sql`delete from pgmq.q_jobs where msg_id = ${id}`;
    expect(await stream.rest()).toMatchObject([{ event: "end", data: { status: null, seq: 0 } }]);
  });

  test("says that it is alive while nothing happens", async () => {
    await using own = await serveWith({ keepAliveMs: 20 });
    await using stream = await own.follow(await enqueue());
    await stream.until(": keep-alive\n\n: keep-alive\n\n");
    expect(stream.text).toMatch(/^retry: \d+\n\n/);
  });

  test("ends after a while, so that its client is authenticated anew and goes on", async () => {
    await using own = await serveWith({ lastsMs: 500 });
    const id = await running();
    await say(id, "one");
    await using stream = await own.follow(id);
    expect((await stream.rest()).map(({ event }) => event)).toEqual(["status", "log"]);
    await using again = await own.follow(id, { "last-event-id": "1" });
    expect((await again.rest()).map(({ event }) => event)).toEqual(["status"]);
  });

  test("does not hold up a server that closes", async () => {
    const own = await serveWith({});
    await using stream = await own.follow(await running());
    await stream.take(1);
    const started = performance.now();
    await own.server.close();
    expect(await stream.rest()).toEqual([]);
    expect(performance.now() - started).toBeLessThan(3000);
    await own.sql.end();
  });

  test("outlives an absence of the database", async () => {
    await using proxy = await Proxy.to(api.db.url);
    await using own = await serveWith({}, proxy.url);
    const id = await running();
    await using stream = await own.follow(id);
    await stream.take(1);
    await proxy.shut();
    await say(id, "meanwhile");
    await finish(id);
    await proxy.open();
    expect((await stream.rest()).map(({ event }) => event)).toEqual(["log", "status", "end"]);
  });

  test("is a header only for HEAD", async () => {
    const answer = await fetch(api.server.url + logs(await running(), "/stream"), {
      method: "HEAD",
      headers: { authorization: `Bearer ${api.admin.key}` },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/event-stream");
    expect(await answer.text()).toBe("");
  });
});

describe("the database", () => {
  // The function that streams are fed by, with a counter before it.
  beforeAll(async () => {
    const [it] = await api.sql<{ definition: string; result: string }[]>`
      select pg_get_functiondef(oid) as definition, pg_get_function_result(oid) as result
      from pg_proc where oid = 'carillon.tail_logs'::regproc`;
    await api.sql.unsafe(it?.definition.replaceAll("tail_logs", "tail_logs_itself") ?? "");
    await api.sql.unsafe(`
      create sequence public.tail_calls minvalue 0 start 0;
      create or replace function carillon.tail_logs(jobs bigint[], after integer[], max_rows integer default 200)
      returns ${it?.result} language plpgsql security definer as $$ begin
        perform nextval('public.tail_calls');
        return query select * from carillon.tail_logs_itself(jobs, after, max_rows);
      end $$`);
  });
  const calls = async () => {
    const [row] = await api.sql<{ n: number }[]>`select last_value as n from public.tail_calls`;
    return row?.n ?? 0;
  };

  /** Waits until the number has not changed for a second, several times the polling. */
  async function settled(): Promise<number> {
    let [last, since] = [await calls(), performance.now()];
    await until(async () => {
      const now = await calls();
      if (now !== last) [last, since] = [now, performance.now()];
      await new Promise((resolve) => setTimeout(resolve, 50));
      return performance.now() - since > 1200;
    });
    return last;
  }

  test("is asked once for many streams, and not at all when they are gone", async () => {
    await using own = await serveWith({});
    const id = await running();
    const streams: EventReader[] = [];
    for (let n = 0; n < 40; n += 1) streams.push(await own.follow(id));
    await Promise.all(streams.map((stream) => stream.take(1)));
    const before = await calls();
    for (const text of ["one", "two", "three"]) {
      await say(id, text);
      const heard = await Promise.all(streams.map((stream) => stream.next()));
      expect(new Set(heard.map((event) => event && messageOf(event)))).toEqual(new Set([text]));
    }
    // Less than one for each; were they asked for apart, it would be 120 and more.
    expect((await calls()) - before).toBeLessThan(40);
    await Promise.all(streams.map((stream) => stream[Symbol.asyncDispose]()));
    await until(
      () => api.log.filter(({ fields }) => fields.aborted === true).length >= 40,
      "forty hung up requests",
    );
    const rest = await settled();
    await say(id, "to nobody");
    expect(await settled()).toBe(rest);
  });

  test("is not asked for more than a slow client takes, who gets everything all the same", async () => {
    await using own = await serveWith({});
    const id = await running();
    await bulk(id, 1200, 20_000);
    await finish(id);
    const before = await settled();
    const socket = dial(own.server.port, "127.0.0.1");
    await once(socket, "connect");
    socket.pause();
    socket.write(
      `GET ${logs(id, "/stream")} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer ${api.admin.key}\r\n\r\n`,
    );
    // 24 MB are some 90 pages; only what fits into the buffers of the sockets is asked for.
    await until(async () => (await calls()) > before, "a first page");
    expect((await settled()) - before).toBeLessThan(70);
    let text = "";
    socket.setEncoding("latin1").on("data", (data: string) => (text += data));
    socket.resume();
    await once(socket, "close");
    const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(([, n]) => Number(n));
    expect(ids).toEqual(Array.from({ length: 1200 }, (_, n) => n + 1));
    expect(text).toContain("event: end\n");
  });
});

describe("a download", () => {
  let id: number;
  beforeAll(async () => {
    id = await running();
    await append(id, [
      { message: "größe\n2", level: "warn", data: { n: 1 } },
      { message: "sorting", stream: "progress", percent: 12.5 },
      { message: "x", stream: "stderr", altered: { cutBytes: 3 } },
    ]);
    await finish(id);
  });

  test("is text", async () => {
    const answer = await get(logs(id, "/download"));
    expect(answer.status, answer.text).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(answer.headers.get("content-disposition")).toBe(
      `attachment; filename="crm-job-${id}.txt"`,
    );
    expect(answer.text.replace(/^\S{24}/gm, (at) => (at.endsWith("Z") ? "<time>" : at))).toBe(
      [
        '<time> #1 WARN  größe\n2 {"n":1}',
        "<time> #1 PROGRESS 12.5 % sorting",
        '<time> #1 STDERR x [altered: {"cutBytes":3}]',
        "",
      ].join("\n"),
    );
  });

  test("is JSON, or a line of it each", async () => {
    const listed = linesOf(await get(logs(id)));
    const json = await get(logs(id, "/download?format=json"));
    expect(json.headers.get("content-type")).toBe("application/json");
    expect(json.body).toEqual(listed);
    const jsonl = await get(logs(id, "/download?format=jsonl"));
    expect(jsonl.headers.get("content-type")).toBe("application/x-ndjson");
    expect(jsonl.headers.get("content-disposition")).toContain(`crm-job-${id}.jsonl`);
    expect(jsonl.body).toEqual(listed);
  });

  test("takes the filters of the list", async () => {
    const found = await get(logs(id, "/download?format=json&stream=stderr,log&q=x"));
    expect(found.body).toMatchObject([{ message: "x" }]);
    expect((await get(logs(id, "/download?format=json&q=nothing"))).text).toBe("[]\n");
    expect((await get(logs(id, "/download?q=nothing"))).text).toBe("");
  });

  test("has every line of a long log", async () => {
    const long = await running();
    await bulk(long, 30_000, 300);
    const answer = await get(logs(long, "/download?format=jsonl"));
    const lines = answer.body as Line[];
    expect(lines.map(({ seq }) => seq)).toEqual(Array.from({ length: 30_000 }, (_, n) => n + 1));
  });

  test("knows its formats", async () => {
    const answer = await get(logs(id, "/download?format=csv"));
    expect(answer.status).toBe(400);
    expect(problemOf(answer).errors).toMatchObject([{ field: "format" }]);
  });
});
