import { setTimeout } from "node:timers/promises";
import { expect, inject, test } from "vitest";
import { connect } from "../../src/db/connect.js";
import { getCron, syncManifest } from "../../src/db/crons.js";
import { pageJobs } from "../../src/db/jobs.js";
import { pgCronStatus } from "../../src/db/system.js";
import { listTicks } from "../../src/db/ticks.js";
import { serve } from "../../src/index.js";
import { createTestDatabase } from "../helpers/database.js";

/*
 * The whole way of a tick on whatever engine there is, without pg_cron: the ticker of the worker
 * drives. This is what `npm run test:embedded` runs on a Postgres from npm.
 */
test("a cron fires by the ticker, reaches onJob, and is on record", async () => {
  await using db = await createTestDatabase();
  const sql = connect(db.url, { max: 5 });
  const calls: unknown[] = [];
  const worker = serve(
    { app: "smoke", sql, signals: false },
    {
      onJob: (payload, caller, ctx) => {
        calls.push([payload.task, caller?.username, ctx.scheduledFor?.toISOString()]);
        return { done: true };
      },
    },
  );
  try {
    const manifest = { crons: [{ name: "beat", schedule: "1 seconds", payload: { task: "x" } }] };
    const result = await syncManifest(sql, "smoke", manifest, null);
    expect(result).toMatchObject({ installed: true, created: ["beat"] });
    const finished = async () => {
      for (;;) {
        const { items: jobs } = await pageJobs(sql, "smoke", { filter: { status: ["finished"] } });
        if (jobs.length >= 2) return jobs;
        await setTimeout(50);
      }
    };
    const jobs = await finished();
    for (const job of jobs) {
      expect(job).toMatchObject({ status: "completed", result: { done: true }, attempt: 1 });
      expect(calls).toContainEqual(["x", "system", job.scheduledFor?.toISOString()]);
    }
    const cronId = jobs[0]?.cronId ?? "";
    const cron = await getCron(sql, "smoke", cronId);
    expect(cron).toMatchObject({ name: "beat", pgJobId: null, description: "Every second" });
    const ticks = await listTicks(sql, cronId, { limit: 50 });
    for (const job of jobs) {
      expect(ticks).toContainEqual(
        expect.objectContaining({
          msgId: job.jobId,
          outcome: "enqueued",
          driver: "ticker",
          scheduledFor: job.scheduledFor,
        }),
      );
    }
    expect((await pgCronStatus(sql)).driving).toBeNull();
  } finally {
    await worker.stop();
    await sql.end({ timeout: 5 });
  }
});

test("says which engine it ran on", () => {
  const { engine, pgCron } = inject("server");
  expect(engine).toMatch(/^(url|pg17|pg15|installed|embedded)$/);
  if (engine === "embedded") expect(pgCron).toBeNull();
});
