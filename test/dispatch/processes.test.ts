import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { Endpoint } from "../targets/http/endpoint.js";
import { until } from "../worker/helpers.js";
import { createDispatchBench } from "./bench.js";

/* Real processes of `carillon dispatch`, raced and killed. */

test("many dispatchers and one due job make one call", async () => {
  await using bench = await createDispatchBench();
  await using endpoint = await Endpoint.start();
  const processes = await Promise.all([bench.spawn(), bench.spawn(), bench.spawn()]);
  const runAt = new Date(Date.now() + 500).toISOString();
  const ids: number[] = [];
  for (let n = 0; n < 30; n += 1) {
    const url = `${endpoint.url}/${n}`;
    ids.push(await bench.enqueue({ type: "http", url }, `run_at => '${runAt}'`));
  }
  for (const id of ids) expect(await bench.ended(id)).toMatchObject({ status: "completed" });
  const paths = endpoint.received.map(({ url }) => url).sort();
  expect(paths).toEqual(ids.map((_, n) => `/${n}`).sort());
  for (const one of processes) await one.kill("SIGTERM");
});

test("one killed in mid-call makes another attempt, under the same key", async () => {
  await using bench = await createDispatchBench();
  await using endpoint = await Endpoint.start((request, response) => {
    if (request.headers["carillon-attempt"] !== "1") response.end("at last");
  });
  const first = await bench.spawn();
  const id = await bench.enqueue({ type: "http", url: endpoint.url, timeout: 60 });
  await until(() => endpoint.received.length === 1, "a call");
  await first.kill("SIGKILL");
  await bench.spawn();
  const job = await bench.ended(id);
  expect(job).toMatchObject({ status: "completed", attempt: 2, result: { body: "at last" } });
  expect(job.attempts).toMatchObject([{ error: { name: "LeaseLost" } }, { error: null }]);
  const [one, two] = endpoint.received.map(({ headers }) => headers);
  expect(two!["idempotency-key"]).toBe(one!["idempotency-key"]);
  expect(two!["webhook-id"]).toBe(one!["webhook-id"]);
  expect([one!["carillon-attempt"], two!["carillon-attempt"]]).toEqual(["1", "2"]);
  expect(two!.traceparent).not.toBe(one!.traceparent);
});

describe("carillon serve", () => {
  const SERVE = { CARILLON_PORT: "0", CARILLON_TICKER: "off" };

  test("sends jobs to their targets, too", async () => {
    await using bench = await createDispatchBench();
    await using endpoint = await Endpoint.start();
    const server = await bench.spawn(SERVE, ["serve"]);
    const id = await bench.enqueue({ type: "http", url: endpoint.url });
    expect(await bench.ended(id)).toMatchObject({ status: "completed" });
    await server.kill("SIGTERM");
    expect(server.output()).toContain("worker stopped");
  });

  test("leaves it alone where it is told to, or its database role may not", async () => {
    await using bench = await createDispatchBench();
    const off = await bench.spawn(SERVE, ["serve", "--no-dispatcher"]);
    await off.kill("SIGTERM");
    expect(off.output()).not.toContain("worker");
    const role = `api_${randomBytes(4).toString("hex")}`;
    await bench.sql`select carillon.create_database_roles()`;
    await bench.sql.unsafe(`create role ${role} login password 'secret' in role carillon_api`);
    const url = new URL(bench.db.url);
    url.username = role;
    url.password = "secret";
    const server = await bench.spawn({ ...SERVE, DATABASE_URL: url.href }, ["serve"]);
    await until(() => server.output().includes(`grant carillon_dispatcher to ${role}`), "a hint");
    await server.kill("SIGTERM");
    await bench.sql.unsafe(`grant carillon_dispatcher to ${role}`);
    await using endpoint = await Endpoint.start();
    const both = await bench.spawn({ ...SERVE, DATABASE_URL: url.href }, ["serve"]);
    const id = await bench.enqueue({ type: "http", url: endpoint.url });
    expect(await bench.ended(id)).toMatchObject({ status: "completed" });
    await both.kill("SIGTERM");
    await bench.sql.unsafe(`drop owned by ${role}; drop role ${role}`);
  });
});
