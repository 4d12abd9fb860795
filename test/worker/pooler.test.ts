import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startPgbouncer, whyNoPgbouncer } from "../helpers/pgbouncer.js";
import { type Bench, createBench, until } from "./helpers.js";

const reason = await whyNoPgbouncer();

describe.skipIf(reason !== undefined)(
  `behind pgbouncer in transaction mode ${reason ?? ""}`,
  () => {
    let bench: Bench;
    beforeEach(async () => {
      bench = await createBench();
    });
    afterEach(() => bench[Symbol.asyncDispose]());

    test("a worker with more connections than the pooler has runs, beats, logs, ticks and stops", async () => {
      const { sql, app } = bench;
      await using pooler = await startPgbouncer(bench.db.url, 2);
      const [cron] = await sql<{ id: string }[]>`
      select id from carillon.create_cron(app => ${app}, name => 'often', schedule => '1 seconds')`;
      const why: unknown[] = [];
      await using worker = await bench.work(
        {
          onJob: async ({ task }, _caller, ctx) => {
            ctx.log.info("through the pooler");
            if (task === "slow") await new Promise((resolve) => setTimeout(resolve, 2500));
            if (task === "next") return ctx.enqueue({ task: "hang" });
            if (task !== "hang") return null;
            await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
            why.push(ctx.signal.reason);
          },
        },
        {
          databaseUrl: pooler.url,
          listen: false,
          prepare: false,
          ticker: true,
          leaseSeconds: 1,
          pollMs: 100,
        },
      );
      const slow = await bench.enqueue({ task: "slow" });
      await sql`select carillon.enqueue_job(${app}, '{}') from generate_series(1, 300)`;
      // Its lease was kept by heartbeats, although it is shorter than the handler.
      expect(await bench.ended(slow)).toMatchObject({ status: "completed", attempt: 1 });
      await until(async () => {
        const rows = await sql`select from carillon.job_history where cron_id = ${cron!.id}`;
        return rows.length >= 2;
      }, "two slots of the cron");
      // Without LISTEN it is the heartbeat that tells of a cancellation.
      const { result: hanging } = await bench.ended(await bench.enqueue({ task: "next" }));
      await until(async () => {
        const rows = await sql`
        select from pgmq.q_jobs where msg_id = ${hanging as number} and headers ? 'lease'`;
        return rows.length === 1;
      }, "a hanging job");
      await sql`select carillon.cancel_job(job => ${hanging as number})`;
      await until(() => why.length > 0, "the cancellation");
      expect(why).toMatchObject([{ why: "canceled" }]);
      await worker.stop();

      const ended = await bench.history();
      expect(ended.filter(({ status }) => status === "failed")).toEqual([]);
      expect(ended.length).toBeGreaterThanOrEqual(304);
      expect(bench.lines.filter(({ level }) => level === "error")).toEqual([]);
      // Nothing of a session stays behind for the next client of its connection.
      const [left] = await sql<{ locks: number; listening: number }[]>`
      select
        (select count(*)::int from pg_locks l join pg_database d on d.oid = l.database
          where l.locktype = 'advisory' and d.datname = current_database()) as locks,
        (select count(*)::int from pg_stat_activity
          where datname = current_database() and query ilike 'listen%') as listening`;
      expect(left).toEqual({ locks: 0, listening: 0 });
    });
  },
);
