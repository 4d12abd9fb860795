import { describe, expect, test } from "vitest";

import { advanceClock, setClock } from "../helpers/clock.js";
import { createTestDatabase, type TestSql } from "../helpers/database.js";
import { claim, complete, fireDue, one, outcomesOf, refusal, ticksOf } from "./support.js";

/* Apps whose manifest declares an agent: where their crons' jobs go, and who may have it invoked. */

const ENDPOINT = { url: "https://agent.example/invoke", timeout: 120 };

/** An agent app `bot` with a cron `digest` that ada owns, who holds what she needs. */
async function newAgent(agent: unknown = true) {
  const db = await createTestDatabase();
  const { sql } = db;
  await setClock(sql, "2026-03-02T10:00:00Z");
  await deploy(sql, agent);
  await sql`select carillon.create_role(name => 'writers', permissions => '{app:bot:cron.write}')`;
  await sql`select carillon.create_role(name => 'invokers', permissions => '{app:bot:invoke}')`;
  const { ada } = await one(sql<{ ada: string }[]>`
    select carillon.create_principal(username => 'ada', roles => '{writers,invokers}') as ada`);
  const { cron } = await one(sql<{ cron: string }[]>`
    select id as cron from carillon.declare_cron(app => 'bot', actor => ${ada},
      spec => '{"name": "digest", "schedule": "* * * * *", "overlapPolicy": "queue"}')`);
  return { db, sql, ada, cron, [Symbol.asyncDispose]: () => db.drop() };
}

const deploy = (sql: TestSql, agent: unknown) =>
  sql`select carillon.sync_manifest(app => 'bot', manifest => ${sql.json({ agent } as never)})`;

/** Claims what is due, and completes it. */
async function take(sql: TestSql, key: string) {
  const jobs = await claim(sql, key);
  await complete(sql, jobs);
  return jobs;
}

async function fireNext(sql: TestSql) {
  await advanceClock(sql, "1 minute");
  await fireDue(sql);
}

describe("the fire gate of an agent", () => {
  const INVOKE = "the owner no longer holds app:bot:invoke";
  type Agent = Awaited<ReturnType<typeof newAgent>>;

  test.each<[string, (agent: Agent) => Promise<unknown>, string]>([
    [
      "invoke is revoked",
      ({ sql, ada }) => sql`select carillon.revoke_role(${ada}, 'invokers')`,
      INVOKE,
    ],
    [
      "cron.write is revoked",
      ({ sql, ada }) => sql`select carillon.revoke_role(${ada}, 'writers')`,
      "the owner no longer holds app:bot:cron.write",
    ],
    [
      "the owner is disabled",
      ({ sql, ada }) => sql`select carillon.set_principal_enabled(${ada}, false)`,
      "the owner is disabled",
    ],
    [
      "the owner is gone",
      ({ sql, ada }) => sql`select carillon.delete_principal(${ada})`,
      "the owner is gone",
    ],
  ])("is shut once %s", async (_what, shut, reason) => {
    await using agent = await newAgent();
    const { sql, cron } = agent;
    await fireNext(sql);
    expect(await take(sql, "bot")).toHaveLength(1);
    await shut(agent);
    await fireNext(sql);
    expect(await take(sql, "bot")).toEqual([]);
    expect(await outcomesOf(sql, cron)).toEqual(["10:01 enqueued", "10:02 denied"]);
    expect((await ticksOf(sql, cron))[1]).toMatchObject({ reason, msg_id: null });
    const shown = await one(sql<{ denied: string }[]>`
      select denied from carillon.get_cron(cron => ${cron})`);
    expect(shown.denied).toBe(reason);
    const triggered = await refusal(sql`select carillon.trigger_cron(cron => ${cron})`);
    expect(triggered).toMatchObject({
      code: "TK403",
      message: expect.stringContaining(reason) as string,
    });
  });

  test("asks for invoke of no app that is none, and of every one that becomes one", async () => {
    await using agent = await newAgent(false);
    const { sql, ada, cron } = agent;
    await sql`select carillon.revoke_role(${ada}, 'invokers')`;
    await fireNext(sql);
    await deploy(sql, { model: "any" });
    await fireNext(sql);
    await sql`select carillon.grant_role(${ada}, 'invokers')`;
    await fireNext(sql);
    expect(await outcomesOf(sql, cron)).toEqual([
      "10:01 enqueued",
      "10:02 denied",
      "10:03 enqueued",
    ]);
  });

  test("holds for slots that are caught up, too", async () => {
    await using agent = await newAgent();
    const { sql, ada, cron } = agent;
    await sql`select carillon.patch_cron(cron => ${cron}, patch => '{"catchUp": "all"}')`;
    await sql`select carillon.revoke_role(${ada}, 'invokers')`;
    await advanceClock(sql, "3 minutes");
    await fireDue(sql);
    const outcomes = (await outcomesOf(sql, cron)).map((line) => line.split(" ")[1]);
    expect(outcomes).toEqual(["denied", "denied", "denied"]);
    expect(await take(sql, "bot")).toEqual([]);
  });
});

describe("an agent's endpoint", () => {
  test("is where the jobs of its crons go that say no other, however they are made", async () => {
    await using agent = await newAgent({ endpoint: ENDPOINT, model: "any" });
    const { sql, cron } = agent;
    const target = { type: "agent", ...ENDPOINT };
    await fireNext(sql);
    const [fired] = await take(sql, "@");
    expect(fired).toMatchObject({ cron_id: cron, trigger: "automatic", target });
    await sql`select carillon.trigger_cron(cron => ${cron})`;
    expect(await take(sql, "@")).toMatchObject([{ trigger: "manual", target }]);
    await advanceClock(sql, "10 minutes");
    await fireDue(sql);
    expect((await take(sql, "@")).map((job) => (job as { target?: unknown }).target)).toEqual([
      target,
    ]);
    const other = { type: "http", url: "https://example.com/hook" };
    await sql`select carillon.patch_cron(cron => ${cron}, patch => ${sql.json({ target: other })})`;
    await fireNext(sql);
    expect(await take(sql, "@")).toMatchObject([{ target: other }]);
    await sql`select carillon.enqueue_job(app => 'bot')`;
    expect(await take(sql, "bot")).toHaveLength(1);
  });

  test.each([
    ["agent", "7"],
    ["agent.endpoint", '{"endpoint": "https://agent.example"}'],
    ["agent.endpoint.url", '{"endpoint": {}}'],
    ["agent.endpoint.url", '{"endpoint": {"url": 7}}'],
  ])("is refused, naming %s: %s", async (field, agent) => {
    await using db = await createTestDatabase();
    const refused = await refusal(db.sql`
      select carillon.install_app(app => 'bot',
        manifest => jsonb_build_object('agent', ${agent}::text::jsonb))`);
    expect(refused).toMatchObject({ code: "TK001", field });
  });
});
