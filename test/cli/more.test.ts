import { afterAll, beforeAll, expect, test } from "vitest";
import { TestApi } from "../api/api.js";
import { json, run } from "./cli.js";

let api: TestApi;
let env: Record<string, string>;
beforeAll(async () => {
  api = await TestApi.start();
  await api.install("crm", { crons: [{ name: "nightly", schedule: "0 3 * * *" }] });
  env = { CARILLON_URL: api.server.url, CARILLON_KEY: api.admin.key, CARILLON_APP: "crm" };
});
afterAll(() => api[Symbol.asyncDispose]());

const enqueue = (count: number, tag: string) =>
  api.as(api.admin, "POST", "/api/v1/apps/crm/jobs/batch", {
    body: { jobs: Array.from({ length: count }, () => ({ tags: [tag] })) },
  });

test("many jobs are canceled and run again, by what is said of them, and counted first", async () => {
  await enqueue(1000, "a");
  await enqueue(5, "a");
  await enqueue(3, "b");
  const only = ["--tag", "a"];
  const dry = await run(["jobs", "cancel-many", ...only, "--dry-run"], { env });
  expect(dry.stdout, dry.stderr).toBe("1005 jobs would be canceled\n");
  const asked = await run(["jobs", "cancel-many", ...only], { env });
  expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining("--yes")]);
  const canceled = await json(["jobs", "cancel-many", ...only, "--yes", "--reason", "no more"], {
    env,
  });
  expect(canceled).toEqual({ dryRun: false, matched: 1005, canceled: 1005 });
  const again = ["jobs", "retry-many", "--status", "canceled", "--yes"];
  expect(await json(again, { env })).toEqual({
    ...{ dryRun: false, matched: 1005, retried: 1005, skipped: 0 },
  });
  const twice = await run(again, { env });
  expect(twice.stdout).toBe("0 of 1005 jobs run again\n");
  const unsaid = await run(["jobs", "cancel-many", "--yes"], { env });
  expect([unsaid.code, unsaid.stderr]).toEqual([2, expect.stringContaining("--every")]);
  const rest = await json(["jobs", "cancel-many", "--every", "--yes"], { env });
  expect(rest).toMatchObject({ canceled: 1008 });
});

test("dead letters are listed, put back to work and deleted", async () => {
  await api.sql`
    insert into pgmq.q_jobs_dlq (vt, message, headers)
    select now(), '{"app_id": "crm", "payload": {"method": "bill"}}', jsonb_build_object('reason', 'lease_lost', 'job_id', n, 'attempts', '[]'::jsonb)
    from generate_series(1, 3) n`;
  const letters = await json<{ id: number }[]>(["letters", "list"], { env });
  expect(letters).toHaveLength(3);
  const redriven = await run(["letters", "redrive", String(letters[0]?.id)], { env });
  expect(redriven.stdout, redriven.stderr).toBe("1 put back to work; 0 remain\n");
  const unsaid = await run(["letters", "redrive"], { env });
  expect(unsaid.code).toBe(2);
  const none = await json(["letters", "redrive", "--cron", "nightly"], { env });
  expect(none).toMatchObject({ redriven: 0 });
  const deleted = await run(["letters", "delete", "--all", "--yes"], { env });
  expect(deleted.stdout, deleted.stderr).toBe("2 deleted; 0 remain\n");
  expect((await run(["letters", "list"], { env })).stdout).toBe("no dead letters\n");
});

test("what needs somebody, and the proof that nothing does", async () => {
  const fine = await run(["attention"], { env });
  expect(fine.stdout, fine.stderr).toMatch(/^nothing needs you; 0 slots since .*: 0 on time/);
  await api.sql`insert into carillon.cron_failures select id, 4 from carillon.crons`;
  const found = await run(["attention", "--all"], { env });
  expect(found.stdout, found.stderr).toContain("crm / nightly failed 4 times in a row");
  expect(await json(["attention"], { env })).toMatchObject({ count: 1 });
});

test("statistics, the audit log and retention", async () => {
  await enqueue(2, "s");
  await api.sql`select carillon.cancel_jobs(app => 'crm', filter => '{"tag": "s"}')`;
  const stats = await run(["stats", "--bucket", "1h"], { env });
  expect(stats.stdout, stats.stderr).toMatch(/^FROM +COMPLETED +FAILED +CANCELED/);
  expect(stats.stdout).toMatch(/in all +0 +0 +[1-9]/);
  expect(await json(["stats", "--cron", "nightly"], { env })).toMatchObject({
    total: { completed: 0, canceled: 0 },
  });
  const set = await json(["retention", "set", "--days", "30", "--keep-failed", "100"], { env });
  expect(set).toMatchObject({ days: 30, keepLast: null, keepFailed: 100 });
  const kept = await json(["retention", "set", "--keep-failed", "none"], { env });
  expect(kept).toMatchObject({ days: 30, keepFailed: null });
  expect(await json(["retention", "show", "--cron", "nightly"], { env })).toMatchObject({
    ...{ days: null, effectiveDays: 30 },
  });
  const wrong = await run(["retention", "set", "--days", "0"], { env });
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("from 1 to 3650")]);

  const entries = await json<{ action: string }[]>(["audit", "-n", "3"], { env });
  expect(entries).toHaveLength(3);
  const cron = await run(["audit", "--cron", "nightly", "--action", "cron.*"], { env });
  expect(cron.stdout, cron.stderr).toMatch(/boss .* cron\.create +nightly/);
  const all = await json<{ action: string }[]>(["audit", "--everything"], { env });
  expect(all.map(({ action }) => action)).toContain("principal.create");
});
