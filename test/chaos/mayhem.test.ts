import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { Proxy } from "../api/proxy.js";
import { startCronEngine } from "../helpers/engine.js";
import { createCron } from "../sql/support.js";
import { until } from "../worker/helpers.js";
import { chance, Herd, insist, type Span } from "./mayhem.js";

/*
 * Workers are killed, their backends terminated, their connections cut and frozen, and Postgres
 * crashes, all at random and under load. CARILLON_CHAOS_SECONDS=600 is the long run; the short one
 * is for the suite. CARILLON_CHAOS_SEED repeats the choices of a run.
 */
const seconds = Number(process.env.CARILLON_CHAOS_SECONDS ?? 15);
const seed = Number(process.env.CARILLON_CHAOS_SEED ?? Date.now() % 1_000_000);

const WORKERS = 3;
const OPTIONS = { app: "crm", concurrency: 20, leaseSeconds: 2, pollMs: 500, drainSeconds: 5 };
const ACTS = ["ok", "ok", "ok", "ok", "fail", "retry", "discard"];

test.skipIf(inject("server").pgCron === null)(
  `${seconds} s of random kills, crashes and cuts: every accepted job ends exactly once (seed ${seed})`,
  { timeout: seconds * 1000 + 180_000 },
  async () => {
    const random = chance(seed);
    const folder = mkdtempSync(join(tmpdir(), "carillon-chaos-"));
    await using server = await startCronEngine();
    await using proxy = await Proxy.to(server.url);
    const herd = new Herd(folder, OPTIONS);
    await server.sql`select carillon.install_app('crm')`;
    const { id: cron } = await createCron(server.sql, "crm", "steady", "1 seconds");
    const patch = { overlapPolicy: "queue", catchUp: "all", catchUpMax: 1000 };
    await server.sql`select carillon.patch_cron(cron => ${cron}, patch => ${server.sql.json(patch)})`;
    await server.sql.end();
    for (let n = 0; n < WORKERS; n += 1) herd.spawn(proxy.url);

    const deadline = Date.now() + seconds * 1000;
    const accepted = new Set<number>();
    const feed = async (feeder: number) => {
      for (let n = 0; Date.now() < deadline; n += 1) {
        const payload = { ms: random(60), act: ACTS[random(ACTS.length)]! };
        const attempts = 1 + random(3);
        // The same keys again until there is an answer: what was cut off may have been accepted.
        const jobs = await insist(
          server.url,
          (sql) => sql<{ id: number }[]>`
            select carillon.enqueue_job('crm', ${sql.json(payload)}, idempotency_key => ${`${feeder}-${n}-`} || k,
              max_attempts => ${attempts}, retry_delay => 1) as id
            from generate_series(1, 5) k`,
        );
        for (const { id } of jobs) accepted.add(id);
      }
    };

    const done = { kills: 0, terminated: 0, cuts: 0, freezes: 0, crashes: 0 };
    const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    const reopen = async (ms: number) => {
      await pause(ms);
      if (proxy.frozen) await proxy.shut();
      await proxy.open();
    };
    const deeds: Record<keyof typeof done, () => Promise<void>> = {
      kills() {
        herd.kill(random(WORKERS), proxy.url);
        done.kills += 1;
        return Promise.resolve();
      },
      async terminated() {
        const rows = await insist(
          server.url,
          (sql) => sql`
            select pg_terminate_backend(pid) from (
              select pid from pg_stat_activity
              where datname = current_database() and pid <> pg_backend_pid() order by random() limit 3) a`,
        );
        done.terminated += rows.length;
      },
      async cuts() {
        await proxy.shut();
        await reopen(random(1000));
        done.cuts += 1;
      },
      async freezes() {
        proxy.freeze();
        await reopen(2500 + random(1500));
        done.freezes += 1;
      },
      async crashes() {
        await server.engine.stop(random(2) === 0 ? "immediate" : "fast");
        await pause(random(2000));
        await server.engine.start();
        done.crashes += 1;
      },
    };
    const wreck = async () => {
      const order = Object.keys(deeds) as (keyof typeof deeds)[];
      // Each kind once, then by chance: mostly kills and cuts, which take no time.
      for (let n = 0; Date.now() < deadline; n += 1) {
        const dice = random(20);
        const kind =
          order[n] ??
          (dice < 8
            ? "kills"
            : dice < 13
              ? "terminated"
              : dice < 17
                ? "cuts"
                : dice < 19
                  ? "freezes"
                  : "crashes");
        await deeds[kind]();
        await pause(random(1500));
      }
    };
    await Promise.all([wreck(), ...[1, 2, 3, 4].map(feed)]);

    await insist(
      server.url,
      (sql) => sql`select carillon.set_cron_enabled(cron => ${cron}, enabled => false)`,
    );
    const live = () =>
      insist(server.url, async (sql) => (await sql`select from pgmq.q_jobs`).length);
    await until(async () => (await live()) === 0, "an empty queue", 120_000);
    const spans = await herd.end();
    expect(herd.faults).toEqual([]);

    const ended = await insist(
      server.url,
      (sql) => sql<{ job: number; status: string; lost: number[]; cron: string | null }[]>`
        select job_id as job, status, cron_id as cron, coalesce((
          select jsonb_agg(a -> 'attempt') from jsonb_array_elements(headers -> 'attempts') a
          where a -> 'error' ->> 'name' = 'LeaseLost'), '[]') as lost
        from carillon.job_history`,
    );
    const byJob = new Map(ended.map((row) => [row.job, row]));
    // One end for each job, and each that was accepted or made by a tick has one.
    expect(ended.length).toBe(byJob.size);
    expect([...accepted].filter((job) => !byJob.has(job))).toEqual([]);
    const ticks = await insist(
      server.url,
      (sql) =>
        sql<{ job: number }[]>`select msg_id as job from carillon.ticks where msg_id is not null`,
    );
    expect(ticks.filter(({ job }) => !byJob.has(job))).toEqual([]);
    expect(ended.length).toBe(accepted.size + ticks.length);

    // No attempt ran twice, and none while an earlier one of its job still ran without having lost its lease.
    expect(new Set(spans.map(({ job, attempt }) => `${job}/${attempt}`)).size).toBe(spans.length);
    const byStart = new Map<number, Span[]>();
    for (const span of spans) byStart.set(span.job, [...(byStart.get(span.job) ?? []), span]);
    let overlapped = 0;
    for (const [job, attempts] of byStart) {
      attempts.sort((a, b) => a.attempt - b.attempt);
      for (const [at, next] of attempts.slice(1).entries()) {
        const before = attempts[at]!;
        if (before.end <= next.start) continue;
        overlapped += 1;
        expect(byJob.get(job)!.lost, `job ${job}, attempt ${before.attempt}`).toContain(
          before.attempt,
        );
      }
    }
    const statuses: Record<string, number> = {};
    for (const { status } of ended) statuses[status] = (statuses[status] ?? 0) + 1;
    const lost = ended.reduce((sum, row) => sum + row.lost.length, 0);
    console.log(
      `chaos, ${seconds} s, seed ${seed}: ${JSON.stringify({ ...done, accepted: accepted.size, ticks: ticks.length, ...statuses, attempts: spans.length, lostLeases: lost, overlapped })}`,
    );
    for (const count of Object.values(done)) expect(count).toBeGreaterThan(0);
    rmSync(folder, { recursive: true });
  },
);
