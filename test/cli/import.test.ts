import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { convertCron } from "../../src/cli/import/cron-text.js";
import type { Difference } from "../../src/cli/import/types.js";
import type { Cron, Manifest, NewCron } from "../../src/client/index.js";
import { TestApi } from "../api/api.js";
import { Folder, json, run } from "./cli.js";

// Every step is a process of its own, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start();
  await api.install("crm");
});
afterAll(() => api[Symbol.asyncDispose]());

const asAdmin = () => ({ env: { CARILLON_URL: api.server.url, CARILLON_KEY: api.admin.key } });
const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

interface Printed {
  manifest: Manifest;
  differences: Difference[];
}
const of = ({ manifest, differences }: Printed, name: string) => ({
  cron: manifest.crons?.find((cron) => cron.name === name),
  said: differences.filter(({ cron }) => cron === name).map(({ kind, text }) => `${kind}: ${text}`),
});

/** What is printed is a manifest that the database takes. */
async function deploys(manifest: Manifest, appId: string): Promise<void> {
  const answer = await api.as(api.admin, "PUT", `/api/v1/apps/${appId}/manifest`, {
    body: manifest,
  });
  expect(answer.status, answer.text).toBe(201);
}

describe("a crontab of graphile-worker", () => {
  test("becomes a manifest, with what changes in meaning", async () => {
    const printed = await json<Printed>(["import", "graphile-worker", fixture("crontab")], {});
    expect(printed.manifest.crons?.map(({ name }) => name)).toEqual([
      ...["send_weekly_email", "my_rollup", "either_day", "keyed"],
    ]);
    expect(of(printed, "send_weekly_email")).toEqual({
      cron: {
        ...{ name: "send_weekly_email", schedule: "0 4 * * *", method: "send_weekly_email" },
        ...{
          overlapPolicy: "queue",
          catchUp: "none",
          maxAttempts: 25,
          retryDelay: 3,
          retryBackoff: 2.72,
        },
      },
      said: [],
    });
    const rollup = of(printed, "my_rollup");
    // A day of month of 1-31 restricts nothing there.
    expect(rollup.cron).toMatchObject({
      ...{ schedule: "*/15 */2 * * 1", method: "rollup", payload: { deep: true }, priority: 5 },
      ...{ catchUp: "all", catchUpWindow: 93_600, maxAttempts: 3, maxConcurrency: 1 },
    });
    expect(rollup.said.join("\n")).toMatch(/fill=1d2h[^]*priority=-5 became 5[^]*queue=q1/);
    expect(of(printed, "either_day").cron?.schedule).toBe("0 0 1-31/2 * 1");
    expect(of(printed, "keyed").said.join("\n")).toMatch(/jobKey=k[^]*lost: jobKeyMode=replace/);
    expect(of(printed, "bad_step").said.join("\n")).toMatch(/refused: .*single number/);
    expect(of(printed, "line 7").said.join("\n")).toMatch(/refused: .*not a line/);
    await deploys(printed.manifest, "graphile");
  });

  test("is reported to people before anything is written, and applied when asked to", async () => {
    using folder = new Folder();
    const output = folder.file("crm.yaml");
    const args = ["import", "graphile-worker", fixture("crontab"), "--app", "crm"];
    const printed = await run([...args, "-o", output], asAdmin());
    expect(printed.stderr).toMatch(
      /^4 crons can be taken over, 2 cannot\n[^]*~ .*overlapPolicy is queue/,
    );
    expect(parse(readFileSync(output, "utf8"))).toMatchObject({ id: "crm" });
    expect(await json<Cron[]>(["crons", "list", "--app", "crm"], asAdmin())).toEqual([]);

    await json(["crons", "create", "keyed", "* * * * *", "--app", "crm"], asAdmin());
    expect(await json([...args, "--apply"], asAdmin())).toMatchObject({
      created: ["send_weekly_email", "my_rollup", "either_day"],
      kept: ["keyed"],
    });
    const crons = await json<Cron[]>(["crons", "list", "--app", "crm"], asAdmin());
    expect(crons.find(({ name }) => name === "keyed")).toMatchObject({ schedule: "* * * * *" });
    const reader = await api.caller("reader", ["app:crm:cron.read"]);
    await run(["crons", "delete", "my_rollup", "-y", "--app", "crm"], asAdmin());
    const denied = await run([...args, "--apply", "--key", reader.key], asAdmin());
    expect(denied).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("cron.write") as string,
    });
    expect((await run(["import", "graphile-worker", "none"])).code).toBe(2);
  });
});

describe("CronJobs of Kubernetes", () => {
  test("become a manifest, with what changes in meaning", async () => {
    const input = readFileSync(fixture("cronjobs.yaml"), "utf8");
    const printed = await json<Printed>(["import", "kubernetes", "-"], { input });
    const report = of(printed, "ops-report");
    expect(report.cron).toEqual({
      ...{
        name: "ops-report",
        schedule: "0 8 * 1-3 1-5",
        timezone: "Europe/Berlin",
        method: "container",
      },
      payload: { image: "acme/report:1", command: ["report"], args: ["--all"] },
      ...{ overlapPolicy: "skip", catchUpWindow: 600, maxAttempts: 3, timeout: 900 },
      ...{ enabled: false, pauseNote: "suspended in Kubernetes" },
    });
    expect(report.said.join("\n")).toMatch(
      /JAN-MAR[^]*startingDeadlineSeconds 600[^]*Forbid became overlapPolicy skip[^]*lost: successfulJobsHistoryLimit/,
    );
    expect(of(printed, "hourly").cron).toMatchObject({
      schedule: "0 * * * *",
      overlapPolicy: "replace",
      catchUpWindow: 31_536_000,
    });
    expect(of(printed, "hourly").said.join("\n")).toMatch(/@hourly[^]*GMT/);
    expect(of(printed, "steps").cron).toMatchObject({
      schedule: "5-59/20 * * * *",
      overlapPolicy: "queue",
    });
    expect(of(printed, "tz").cron).toMatchObject({ schedule: "0 9 * * 0", timezone: "Asia/Tokyo" });
    expect(of(printed, "every").cron).toMatchObject({ schedule: "every 90 minutes" });
    expect(of(printed, "either-day").cron).toMatchObject({ schedule: "0 0 1-31/2 * 1" });
    expect(printed.manifest.crons).toHaveLength(6);
    await deploys(printed.manifest, "kubernetes");
    const args = ["import", "kubernetes", "-", "--containers"];
    const limits =
      'resources: { limits: { memory: 512Mi, cpu: 500m } }, env: [{ name: A, value: "1" }, { name: B }]';
    const rich = input.replace('args: ["--all"]', `args: ["--all"], ${limits}`);
    const asTargets = await json<Printed>(args, { input: rich });
    const { cron, said } = of(asTargets, "ops-report");
    expect(cron).toMatchObject({
      target: {
        ...{ type: "container", image: "acme/report:1", cmd: ["report", "--all"], env: { A: "1" } },
        ...{ memory: 512, cpus: 0.5, timeout: 900 },
      },
    });
    expect(cron).not.toHaveProperty("payload");
    expect(said.join("\n")).toMatch(/entrypoint[^]*env that is read from elsewhere: B/);
    await deploys(asTargets.manifest, "containers");
    expect((await run(["import", "kubernetes", "-"], { input: "a: [1" })).code).toBe(2);
  });
});

describe("jobs of pg_cron and schedules of pg-boss", () => {
  test("are read from their tables", async () => {
    await api.db.sql.unsafe(`
      create schema cron;
      create table cron.job (jobid bigint, schedule text, command text, nodename text, nodeport integer,
        database text, username text, active boolean, jobname name);
      insert into cron.job values
        (1, '@daily', 'vacuum', '', 5432, current_database(), 'ann', true, 'nightly vacuum'),
        (2, '30 seconds', 'select 1', '', 5432, 'elsewhere', 'ann', false, null),
        (3, '0 0 1 * mon', 'select 2', '', 5432, current_database(), 'ann', true, 'by-name'),
        (4, '* * * * *', 'select carillon.fire_beat(1)', '', 5432, current_database(), 'ann', true, 'carillon beat 1');
      create schema boss;
      create table boss.schedule (name text, key text, cron text, timezone text, data jsonb, options jsonb);
      insert into boss.schedule values
        ('mail', 'eu', '0 0 L * *', 'Europe/Paris', '{"a":1}', '{"tz":"Europe/Paris","retryLimit":2,"priority":3}'),
        ('mail', '', '30 5/10 * * * *', 'UTC', null, '{"singletonKey":"x","deadLetter":"d"}'),
        ('third', '', '0 0 * * 1#2', 'UTC', null, null)`);
    const from = ["--from", api.db.url];
    const cron = await json<Printed>(["import", "pg-cron", ...from], {});
    expect(cron.manifest.crons?.map(({ name, schedule }) => [name, schedule])).toEqual([
      ["nightly-vacuum", "0 0 * * *"],
      ["job-2", "30 seconds"],
      ["by-name", "0 0 1 * 1"],
    ]);
    expect(of(cron, "nightly-vacuum")).toMatchObject({
      cron: {
        method: "sql",
        payload: { command: "vacuum", username: "ann" },
        overlapPolicy: "buffer",
      },
      said: ['changed: it was named "nightly vacuum"', expect.stringContaining("@daily") as string],
    });
    expect(of(cron, "job-2")).toMatchObject({
      cron: { enabled: false, payload: { database: "elsewhere" } },
      said: ["changed: it ran in the database elsewhere"],
    });
    await deploys(cron.manifest, "pg-cron");

    const boss = await json<Printed>(["import", "pg-boss", "--schema", "boss", ...from], {});
    expect(of(boss, "mail-eu").cron).toMatchObject({
      ...{ schedule: "0 0 $ * *", timezone: "Europe/Paris", method: "mail", payload: { a: 1 } },
      ...{ maxAttempts: 3, priority: 3, overlapPolicy: "queue", catchUp: "none" },
    });
    expect(of(boss, "mail").cron).toMatchObject({
      schedule: "5-59/10 * * * *",
      overlapPolicy: "buffer",
    });
    expect(of(boss, "mail").said.join("\n")).toMatch(
      /second 0[^]*lost: deadLetter[^]*singletonKey/,
    );
    expect(of(boss, "third").said.join("\n")).toMatch(/refused/);
    await deploys(boss.manifest, "boss");
    expect(await run(["import", "pg-boss", ...from])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("pgboss.schedule") as string,
    });
  });
});

test("schedules are converted by their own dialect, or refused", () => {
  const pgCron = {
    starStepRestricts: false,
    fullRangeIsStar: false,
    numberStep: "error",
    seconds: false,
  } as const;
  const boss = {
    starStepRestricts: true,
    fullRangeIsStar: true,
    numberStep: "from",
    seconds: true,
  } as const;
  const cases: [string, string | undefined, string | undefined][] = [
    ["*/5 * * * *", "*/5 * * * *", "*/5 * * * *"],
    ["0 0 */2 * 1", "0 0 */2 * 1", "0 0 1-31/2 * 1"],
    ["0 0 1 * */2", "0 0 1 * */2", "0 0 1 * 0-6/2"],
    ["0 0 1-31 * 1", "0 0 1-31 * 1", "0 0 * * 1"],
    ["5/10 * * * *", undefined, "5-59/10 * * * *"],
    ["0 0 * * FRI-SUN", "0 0 * * 5-7", "0 0 * * 5-7"],
    ["0 0 * * friday", "0 0 * * 5", "0 0 * * 5"],
    ["0 0 * * sat-tue", undefined, undefined],
    ["@reboot", undefined, undefined],
    ["@weekly", "0 0 * * 0", "0 0 * * 0"],
    ["0 0 0 1 1 *", undefined, "0 0 1 1 *"],
    ["0 0 15W * *", undefined, undefined],
    ["60 seconds", undefined, undefined],
    ["1 second", "1 seconds", "1 seconds"],
    ["0 0 $ * *", "0 0 $ * *", "0 0 $ * *"],
  ];
  for (const [text, asPgCron, asBoss] of cases) {
    expect(convertCron(text, pgCron).schedule, text).toBe(asPgCron);
    expect(convertCron(text, boss).schedule, text).toBe(asBoss);
    const { schedule, notes } = convertCron(text, boss);
    // Whatever is not written as it was is said.
    expect(notes.length > 0, text).toBe(schedule !== text);
  }
});

describe("export", () => {
  const special: NewCron[] = [
    { name: "plain", schedule: "0 3 * * *" },
    {
      ...{
        name: "special",
        schedule: "every 2 days from 2026-05-08T10:30",
        timezone: "Asia/Tokyo",
        method: "m",
      },
      ...{
        payload: { a: { b: [1] } },
        overlapPolicy: "buffer",
        catchUp: "all",
        catchUpMax: 5,
        catchUpWindow: 60,
      },
      ...{
        maxConsecutiveFailures: 3,
        priority: 2,
        maxAttempts: 4,
        retryDelay: 1,
        retryBackoff: 1.5,
        timeout: 9,
      },
      ...{
        expiresAfter: 8,
        tags: ["x"],
        maxConcurrency: 2,
        enabled: false,
        pauseNote: "why",
        jitter: 7,
      },
      ...{
        startsAt: "2026-01-01T00:00:00.000Z",
        endsAt: "2027-01-01T00:00:00.000Z",
        dst: { gap: "skip", fold: "both" },
      },
    },
  ];

  test("writes what makes the same app again, and a dry run of it changes nothing", async () => {
    using folder = new Folder();
    const manifest = {
      name: "Shop",
      maxConcurrency: 3,
      permissions: ["cron.read"],
      crons: special,
    };
    await deploys(manifest, "shop");
    const yaml = await run(["export", "--app", "shop"], asAdmin());
    expect(parse(yaml.stdout)).toEqual({ id: "shop", ...manifest });
    const file = folder.file("shop.json");
    await run(["export", "--app", "shop", "-o", file], asAdmin());
    const env = { DATABASE_URL: api.db.url };
    const plan = await run(["deploy", file, "--dry-run"], { env });
    expect(plan.stdout).toBe(
      "app shop: 0 to create, 0 to change, 0 to delete, 2 unchanged. A dry run: nothing was changed.\n",
    );
    expect((await run(["export", "--app", "none"], asAdmin())).code).toBe(3);
    expect((await run(["export"], asAdmin())).code).toBe(2);
  });

  test("deploy --dry-run shows a diff and leaves no trace", async () => {
    using folder = new Folder();
    await deploys({ crons: special }, "diff");
    const file = folder.file("diff.yaml");
    const changed =
      "id: diff\nname: Diff\ncrons:\n  - { name: plain, schedule: 30 3 * * *, tags: [t] }\n  - { name: new, schedule: 10 seconds }\n";
    writeFileSync(file, changed);
    const env = { DATABASE_URL: api.db.url };
    const trace = () => api.sql`
      select (select json_agg(c order by id) from carillon.crons c) as crons,
        (select json_agg(b order by id) from carillon.beats b) as beats`;
    const before = await trace();
    const plan = await run(["deploy", file, "--dry-run"], { env });
    expect(plan.stdout).toBe(
      [
        ...["~ app diff", '    name: null → "Diff"'],
        ...["+ new  10 seconds  GMT", "~ plain"],
        ...['    schedule: "0 3 * * *" → "30 3 * * *"', '    tags: [] → ["t"]', "- special"],
        "app diff: 1 to create, 1 to change, 1 to delete, 0 unchanged. A dry run: nothing was changed.\n",
      ].join("\n"),
    );
    expect(await json(["deploy", file, "--dry-run"], { env })).toMatchObject({
      updated: [{ name: "plain", changes: { schedule: { from: "0 3 * * *", to: "30 3 * * *" } } }],
    });
    expect(await trace()).toEqual(before);
    expect((await run(["deploy", file], { env })).stdout).toMatch(
      /created: new\n.*updated: plain\n.*deleted: special/,
    );
    writeFileSync(file, "crons: [{ name: x, schedule: 0 25 * * * }]");
    const bad = await run(["deploy", file, "--app", "diff", "--dry-run"], { env });
    expect(bad).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("crons[0].schedule") as string,
    });
  });
});
