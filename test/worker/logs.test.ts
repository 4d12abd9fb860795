import { spawn } from "node:child_process";
import { once } from "node:events";
import { pipeline } from "node:stream/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Proxy } from "../api/proxy.js";
import { createStarts, spawnWorker } from "./child.js";
import { type Bench, createBench, gate, until } from "./helpers.js";

let bench: Bench;
beforeEach(async () => {
  bench = await createBench();
});
afterEach(() => bench[Symbol.asyncDispose]());

interface Line {
  seq: number;
  attempt: number;
  at: Date;
  level: string;
  stream: string;
  message: string;
  data: unknown;
  percent: number | null;
  altered: object | null;
}
const linesOf = (id: number) => bench.sql<Line[]>`
  select seq, attempt, at, level, stream, message, data, percent, altered
  from carillon.job_logs where job_id = ${id} order by seq`;
const texts = async (id: number) => (await linesOf(id)).map(({ message }) => message);
const count = (n: number, of = (k: number) => `line ${k}`) =>
  Array.from({ length: n }, (_, k) => of(k + 1));

describe("a job's log", () => {
  test("is whole when the job has ended, in order, with levels and data", async () => {
    await bench.work({
      onJob: (_, __, ctx) => {
        ctx.log.debug("d");
        ctx.log.info("i", { order: 7 });
        ctx.log.warn("w", { err: new Error("no") });
        ctx.log.error("e");
      },
    });
    const id = await bench.enqueue({});
    const { worker } = await bench.ended(id);
    expect(worker).toBeDefined();
    const lines = await linesOf(id);
    expect(lines).toMatchObject([
      { seq: 1, attempt: 1, level: "debug", stream: "log", message: "d", data: null },
      { seq: 2, level: "info", message: "i", data: { order: 7 }, percent: null, altered: null },
      { seq: 3, level: "warn", data: { err: { name: "Error", message: "no" } } },
      { seq: 4, level: "error", message: "e" },
    ]);
    for (const { at } of lines) expect(Math.abs(Date.now() - at.getTime())).toBeLessThan(20_000);
    // The process's own log has them, too.
    expect(bench.lines).toContainEqual({
      level: "info",
      message: "i",
      fields: { order: 7, app: bench.app, job: id, attempt: 1 },
    });
  });

  test("goes on through the attempts, and keeps what failed ones logged", async () => {
    await bench.work({
      onJob: (_, __, ctx) => {
        ctx.log.info(`try ${ctx.attempt}`);
        if (ctx.attempt < 3) throw new Error("not yet");
        ctx.log.info("done");
      },
    });
    const [{ id }] = await bench.sql<[{ id: number }]>`
      select carillon.enqueue_job(${bench.app}, max_attempts => 3, retry_delay => 0) as id`;
    await bench.ended(id);
    expect((await linesOf(id)).map((l) => [l.seq, l.attempt, l.message])).toEqual([
      [1, 1, "try 1"],
      [2, 2, "try 2"],
      [3, 3, "try 3"],
      [4, 3, "done"],
    ]);
  });

  test("of many jobs at once is each its own", async () => {
    await bench.work(
      {
        onJob: async ({ n }, __, ctx) => {
          ctx.log.info(`a ${String(n)}`);
          if (Number(n) % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
          ctx.log.info(`b ${String(n)}`);
        },
      },
      { concurrency: 200 },
    );
    await bench.sql`
      select carillon.enqueue_job(${bench.app}, jsonb_build_object('n', n))
      from generate_series(1, 3000) n`;
    await until(async () => (await bench.live()) === 0, "an empty queue");
    const [sums] = await bench.sql`
      select count(*)::int as lines, count(distinct job_id)::int as jobs,
        bool_and(message = case seq when 1 then 'a ' else 'b ' end || (h.payload ->> 'n')) as good
      from carillon.job_logs l join carillon.job_history h using (job_id)`;
    expect(sums).toEqual({ lines: 6000, jobs: 3000, good: true });
  });

  test("is nothing where nothing is logged", async () => {
    await bench.sql`drop function carillon.append_logs`;
    await bench.work({ onJob: () => "quiet" });
    expect(await bench.ended(await bench.enqueue({}))).toMatchObject({ status: "completed" });
    expect(bench.lines.filter(({ level }) => level === "error")).toEqual([]);
  });

  test("that cannot be stored does not keep the job from its end", async () => {
    await bench.sql`drop function carillon.append_logs`;
    await bench.work({ onJob: (_, __, ctx) => ctx.log.info("lost") });
    const id = await bench.enqueue({});
    expect(await bench.ended(id)).toMatchObject({ status: "completed" });
    expect(bench.lines).toContainEqual(
      expect.objectContaining({
        level: "error",
        message: "log lines lost: they could not be stored",
        fields: expect.objectContaining({ job: id, lines: 1 }) as object,
      }),
    );
  });

  test("is live: lines are there while the handler runs", async () => {
    const end = gate();
    await bench.work({
      onJob: async (_, __, ctx) => {
        ctx.log.info("first");
        ctx.progress(40, "sorting");
        await end.opened;
      },
    });
    const id = await bench.enqueue({});
    await until(async () => (await linesOf(id)).length === 2, "two lines");
    const [progress] = await bench.sql`
      select percent, note from carillon.job_progress(${[id]}::bigint[], '{null}', '{null}')`;
    expect(progress).toEqual({ percent: 40, note: "sorting" });
    end.open();
    await bench.ended(id);
  });
});

describe("what is much or strange", () => {
  test("100,000 lines in one loop: all there, the lease is kept, and it is quick", async () => {
    await bench.work(
      {
        onJob: (_, __, ctx) => {
          for (let n = 1; n <= 100_000; n += 1) ctx.log.info(`line ${n}`);
        },
      },
      { leaseSeconds: 1 },
    );
    const started = performance.now();
    const id = await bench.enqueue({});
    expect(await bench.ended(id)).toMatchObject({ status: "completed", attempt: 1 });
    console.log(`100,000 lines: ${Math.round(performance.now() - started)} ms`);
    const [sums] = await bench.sql`
      select count(*)::int as n, max(seq) as last, bool_and(message = 'line ' || seq) as good
      from carillon.job_logs where job_id = ${id}`;
    expect(sums).toEqual({ n: 100_000, last: 100_000, good: true });
  });

  test("a line of 1 MiB, text beyond ASCII, what is no text, and a line too long", async () => {
    const whole = "x".repeat(1_048_576);
    await bench.work({
      onJob: (_, __, ctx) => {
        ctx.log.info(whole);
        ctx.log.info("漢😀\u0007\u001b[31m", { ключ: "значение" });
        ctx.log.info("a\0b\ud800c");
        ctx.log.info(`${whole}é`);
      },
    });
    const id = await bench.enqueue({});
    await bench.ended(id);
    const lines = await linesOf(id);
    expect(lines.map(({ message }) => message === whole)).toEqual([true, false, false, true]);
    expect(lines[1]).toMatchObject({
      message: "漢😀\u0007\u001b[31m",
      data: { ключ: "значение" },
      altered: null,
    });
    expect(lines[2]).toMatchObject({ message: "a\ufffdb\ufffdc", altered: { replaced: 2 } });
    expect(lines[3]?.altered).toEqual({ cutBytes: 2 });
  });

  test("a program's output, line by line, however much and whatever it is", async () => {
    const program = `
      process.stdout.write(Buffer.concat([Buffer.of(0xff, 0), Buffer.from("binary\\n")]));
      for (let n = 0; n < 30000; n++) process.stdout.write("größe " + n + "\\n");
      process.stdout.write("no end");
      process.stderr.write("oops\\r\\n");`;
    await bench.work({
      onJob: async (_, __, ctx) => {
        const child = spawn(process.execPath, ["-e", program], {
          stdio: ["ignore", "pipe", "pipe"],
        });
        await Promise.all([
          pipeline(child.stdout, ctx.log.stream("stdout")),
          pipeline(child.stderr, ctx.log.stream("stderr")),
          once(child, "exit"),
        ]);
      },
    });
    const id = await bench.enqueue({});
    expect(await bench.ended(id)).toMatchObject({ status: "completed" });
    const lines = await linesOf(id);
    const out = lines.filter(({ stream }) => stream === "stdout");
    expect(out).toHaveLength(30_002);
    expect(out[0]).toMatchObject({ message: "\ufffd\ufffdbinary", altered: { replaced: 2 } });
    expect(out.slice(1, -1).every(({ message }, n) => message === `größe ${n}`)).toBe(true);
    expect(out.at(-1)?.message).toBe("no end");
    expect(lines.filter(({ stream }) => stream === "stderr")).toMatchObject([{ message: "oops" }]);
  });
});

describe("what is logged at the end", () => {
  test("of a time limit is kept, before it and after it", async () => {
    await bench.work(
      {
        onJob: async (_, __, ctx) => {
          ctx.log.info("begun");
          await once(ctx.signal, "abort");
          await new Promise((resolve) => setTimeout(resolve, 50));
          ctx.log.info("cleaned up");
        },
      },
      { timeoutSeconds: 0.1 },
    );
    const id = await bench.enqueue({});
    expect(await bench.ended(id)).toMatchObject({ status: "failed", error: { name: "Timeout" } });
    expect((await texts(id)).at(0)).toBe("begun");
    await until(async () => (await texts(id)).length === 2, "the late line");
    expect(await texts(id)).toEqual(["begun", "cleaned up"]);
  });

  test("of a canceled job is kept", async () => {
    const begun = gate();
    await bench.work({
      onJob: async (_, __, ctx) => {
        begun.open();
        await once(ctx.signal, "abort");
        ctx.log.info("told to stop");
      },
    });
    const id = await bench.enqueue({});
    await begun.opened;
    await bench.sql`select carillon.cancel_job(${id})`;
    await until(async () => (await texts(id)).length === 1, "the late line");
    expect(await texts(id)).toEqual(["told to stop"]);
  });

  test("of a worker is stored before its jobs are handed back, and the next one goes on", async () => {
    const begun = gate();
    const first = await bench.work(
      {
        onJob: async (_, __, ctx) => {
          ctx.log.info("of the first");
          begun.open();
          await once(ctx.signal, "abort");
          ctx.log.info("stopping");
          throw ctx.signal.reason;
        },
      },
      { drainSeconds: 0 },
    );
    const id = await bench.enqueue({});
    await begun.opened;
    await first.stop();
    expect(await texts(id)).toEqual(["of the first", "stopping"]);
    await bench.work({ onJob: (_, __, ctx) => ctx.log.info("of the second") });
    await bench.ended(id);
    expect((await linesOf(id)).map((l) => [l.seq, l.attempt, l.message])).toEqual([
      [1, 1, "of the first"],
      [2, 1, "stopping"],
      [3, 2, "of the second"],
    ]);
  });

  test("by a killed worker is there as far as it was flushed, and the next attempt's follows", async () => {
    await createStarts(bench);
    const id = await bench.enqueue({ lines: 5000, hang: true });
    const victim = await spawnWorker(bench, { leaseSeconds: 3600 });
    await until(async () => (await linesOf(id)).length >= 5000, "the lines");
    victim.process.kill("SIGKILL");
    await victim.exited;
    await bench.sql`update pgmq.q_jobs set vt = clock_timestamp() where msg_id = ${id}`;
    await bench.work({ onJob: (_, __, ctx) => ctx.log.info("again") });
    await bench.ended(id);
    const lines = await linesOf(id);
    expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, at) => at + 1));
    expect(lines.slice(0, 5000).map(({ message }) => message)).toEqual(count(5000));
    expect(lines.at(-1)).toMatchObject({ attempt: 2, message: "again" });
    expect(lines.length).toBeLessThanOrEqual(5002);
  });
});

describe("an attempt that has lost its lease", () => {
  test("writes nothing into the next one's log, and the worker's own log says so", async () => {
    const lost = gate();
    const end = gate();
    await bench.work({
      onJob: async (_, __, ctx) => {
        ctx.log.info(`begun ${ctx.attempt}`);
        await ctx.log.flush();
        if (ctx.attempt === 2) return end.opened;
        await lost.opened;
        ctx.log.info("from beyond");
        await ctx.log.flush();
        end.open();
      },
    });
    const id = await bench.enqueue({});
    await until(async () => (await texts(id)).length === 1, "the first attempt");
    await bench.sql`update pgmq.q_jobs set vt = clock_timestamp() where msg_id = ${id}`;
    await bench.sql`select pg_notify('carillon_jobs', ${bench.app})`;
    await until(async () => (await texts(id)).length === 2, "the second attempt");
    lost.open();
    await bench.ended(id);
    expect(await texts(id)).toEqual(["begun 1", "begun 2"]);
    expect(bench.lines).toContainEqual(
      expect.objectContaining({
        message: "log lines refused: another attempt has the job",
        fields: expect.objectContaining({ job: id, attempt: 1, lines: 1 }) as object,
      }),
    );
  });
});

test("while the database is away lines wait, and are stored once when it is back", async () => {
  await using proxy = await Proxy.to(bench.db.url);
  const away = gate();
  const back = gate();
  await bench.work(
    {
      onJob: async (_, __, ctx) => {
        for (let n = 1; n <= 20_000; n += 1) {
          ctx.log.info(`line ${n}`);
          if (n % 1000 === 0) await new Promise(setImmediate);
          if (n === 5000) {
            away.open();
            await back.opened;
          }
        }
      },
    },
    { databaseUrl: proxy.url },
  );
  const id = await bench.enqueue({});
  await away.opened;
  await proxy.shut();
  back.open();
  await until(
    () => bench.lines.some(({ message }) => message === "log lines wait for the database"),
    "a failed statement",
  );
  await proxy.open();
  await bench.ended(id);
  expect(await texts(id)).toEqual(count(20_000));
});
