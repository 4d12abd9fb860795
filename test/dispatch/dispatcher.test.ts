import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cancelJob, getJob } from "../../src/db/jobs.js";
import { setSecret } from "../../src/db/secrets.js";
import { fetchSigningKeys } from "../../src/db/signing-keys.js";
import { databaseIdentity } from "../../src/db/system.js";
import { verifyWebhook, WebhookVerificationError } from "../../src/index.js";
import { jobKey } from "../../src/targets/identity.js";
import { FaktoryDouble } from "../targets/faktory/double.js";
import { Endpoint } from "../targets/http/endpoint.js";
import { gate, until } from "../worker/helpers.js";
import { createDispatchBench, type DispatchBench } from "./bench.js";

let bench: DispatchBench;
beforeAll(async () => {
  bench = await createDispatchBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

const http = (endpoint: Endpoint, more: object = {}) => ({
  ...{ type: "http", url: endpoint.url },
  ...more,
});

describe("a dispatcher", () => {
  test("sends a job where its target says, and keeps the exchange", async () => {
    await using endpoint = await Endpoint.start((_request, response) => {
      response.writeHead(201, { "x-answer": "yes" }).end("made");
    });
    await using _dispatcher = await bench.dispatch();
    const id = await bench.enqueue(http(endpoint), `payload => '{"customer": "acme"}'`);
    const job = await bench.ended(id);
    const exchange = {
      type: "http",
      statusCode: 201,
      headers: { "x-answer": "yes" },
      body: "made",
    };
    expect(job).toMatchObject({ status: "completed", error: null, result: exchange });
    expect(job.attempts).toMatchObject([{ attempt: 1, error: null, result: exchange }]);
    const [received] = endpoint.received;
    expect(JSON.parse(received!.body)).toMatchObject({
      ...{ jobId: id, appId: "crm", trigger: "api", payload: { customer: "acme" } },
    });
    const key = jobKey(await databaseIdentity(bench.sql), id);
    expect(received!.headers).toMatchObject({
      ...{ "idempotency-key": key, "carillon-job": String(id), "carillon-attempt": "1" },
    });
  });

  test("sends those of a cron, with the slot they are for", async () => {
    await using endpoint = await Endpoint.start();
    await using _dispatcher = await bench.dispatch();
    const [cron] = await bench.sql<{ id: string }[]>`
      select id from carillon.create_cron(app => 'crm', name => 'hook', schedule => '1 seconds',
        target => ${bench.sql.json(http(endpoint))})`;
    await until(async () => {
      await bench.sql`select carillon.fire_due()`;
      return endpoint.received.length > 0;
    }, "a call");
    await bench.sql`select carillon.delete_cron(cron => ${cron!.id})`;
    const { headers } = endpoint.received[0]!;
    expect(headers["carillon-cron"]).toBe(cron!.id);
    expect(headers["carillon-slot"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
    expect(headers["carillon-trigger"]).toBe("automatic");
  });

  test("tries again as the job says, under the same key, and keeps what each attempt met", async () => {
    let calls = 0;
    await using endpoint = await Endpoint.start((_request, response) => {
      response.statusCode = (calls += 1) < 3 ? 500 : 200;
      response.end(`answer ${calls}`);
    });
    await using _dispatcher = await bench.dispatch();
    const id = await bench.enqueue(http(endpoint), "max_attempts => 5, retry_delay => 0");
    const job = await bench.ended(id);
    expect(job).toMatchObject({ status: "completed", attempt: 3 });
    expect(job.attempts).toMatchObject([
      { error: { name: "status" }, result: { statusCode: 500, body: "answer 1" } },
      { error: { name: "status" }, result: { statusCode: 500, body: "answer 2" } },
      { error: null, result: { statusCode: 200, body: "answer 3" } },
    ]);
    const keys = endpoint.received.map(({ headers }) => headers["idempotency-key"]);
    expect(new Set(keys).size).toBe(1);
    const attempts = endpoint.received.map(({ headers }) => headers["carillon-attempt"]);
    expect(attempts).toEqual(["1", "2", "3"]);
  });

  test("waits as long as the endpoint asks, and no longer than a day", async () => {
    await using endpoint = await Endpoint.start((request, response) => {
      const after = request.url === "/day" ? "999999999" : "600";
      response.writeHead(503, { "retry-after": after }).end();
    });
    await using _dispatcher = await bench.dispatch();
    const waitOf = async (path: string) => {
      const id = await bench.enqueue(
        http(endpoint, { url: `${endpoint.url}/${path}` }),
        "max_attempts => 2",
      );
      const job = await until(async () => {
        const now = await getJob(bench.sql, "crm", id);
        return now.status === "pending" ? now : undefined;
      }, "a failed attempt");
      expect(job.attempts).toMatchObject([{ result: { statusCode: 503 } }]);
      await cancelJob(bench.sql, "crm", id);
      return job.dueAt!.getTime() - Date.now();
    };
    expect(Math.abs((await waitOf("")) - 600_000)).toBeLessThan(20_000);
    expect(Math.abs((await waitOf("day")) - 86_400_000)).toBeLessThan(20_000);
    const last = await bench.ended(await bench.enqueue(http(endpoint)));
    expect(last).toMatchObject({ status: "failed", result: { statusCode: 503 } });
  });

  test("fails for good what can never succeed", async () => {
    await using _dispatcher = await bench.dispatch();
    const fail = async (target: object) => {
      const id = await bench.enqueue(target, "max_attempts => 9, retry_delay => 0");
      const { status, attempt, error } = await bench.ended(id);
      expect({ status, attempt }).toEqual({ status: "failed", attempt: 1 });
      return error;
    };
    expect(await fail({ type: "http", url: "ftp://example.com" })).toMatchObject({
      name: "invalid_target",
      message: expect.stringMatching(/^target\.url: /) as string,
    });
    expect(await fail({ type: "http", url: "https://a.example", pigeon: 1 })).toMatchObject({
      name: "invalid_target",
    });
    expect(await fail({ type: "http", url: "http://169.254.169.254/" })).toMatchObject({
      name: "refused_address",
    });
    expect(await fail({ type: "container", image: "busybox" })).toMatchObject({ name: "off" });
  });

  test("lets a target say itself what took too long", async () => {
    await using endpoint = await Endpoint.start(() => undefined);
    await using _dispatcher = await bench.dispatch();
    const slow = await bench.ended(await bench.enqueue(http(endpoint, { timeout: 0.2 })));
    expect(slow.error).toMatchObject({ name: "timeout" });
    expect(slow.result).toMatchObject({ statusCode: null });
  });

  test("opens the app's secrets for the call, signs it, and keeps neither", async () => {
    await using endpoint = await Endpoint.start();
    const { keyring } = bench;
    const sealed = keyring.seal({ kind: "secret", appId: "crm", name: "TOKEN" }, "s3cret");
    await setSecret(bench.sql, "crm", "TOKEN", sealed);
    await using _dispatcher = await bench.dispatch();
    const headers = { authorization: "Bearer {{secret.TOKEN}}" };
    const job = await bench.ended(await bench.enqueue(http(endpoint, { headers })));
    expect(job).toMatchObject({ status: "completed", result: { request: { headers } } });
    expect(JSON.stringify(job)).not.toContain("s3cret");
    const [received] = endpoint.received;
    expect(received!.headers.authorization).toBe("Bearer s3cret");
    const [key] = await fetchSigningKeys(bench.sql, "crm");
    const secrets = keyring.open({ kind: "signing", appId: "crm", name: key!.id }, key!);
    const given = { secrets, headers: received!.headers, body: received!.body };
    expect(await verifyWebhook(given)).toBe(received!.headers["webhook-id"]);
    await expect(verifyWebhook({ ...given, body: "{}" })).rejects.toThrow(WebhookVerificationError);
    const other = http(endpoint, { headers: { authorization: "{{secret.OTHER}}" } });
    const failed = await bench.ended(await bench.enqueue(other));
    expect(failed).toMatchObject({ status: "failed", error: { name: "secret_missing" } });
  });

  test("pushes to Faktory", async () => {
    await using faktory = await FaktoryDouble.start();
    const url = `tcp://127.0.0.1:${faktory.port}`;
    await using _dispatcher = await bench.dispatch({ CARILLON_FAKTORY_DEFAULT_URL: url });
    const id = await bench.enqueue({ type: "faktory", jobType: "smoke_job", args: [{ a: 1 }] });
    const job = await bench.ended(id);
    const jid = jobKey(await databaseIdentity(bench.sql), id);
    expect(job).toMatchObject({ status: "completed", result: { type: "faktory", jid } });
    expect(faktory.pushed).toMatchObject([{ jid, jobtype: "smoke_job", args: [{ a: 1 }] }]);
  });

  test("invokes an agent over HTTP", async () => {
    await using endpoint = await Endpoint.start();
    await using _dispatcher = await bench.dispatch();
    const id = await bench.enqueue(
      { type: "agent", url: endpoint.url },
      `payload => '{"message": "sum up"}'`,
    );
    expect(await bench.ended(id)).toMatchObject({ status: "completed" });
    expect(JSON.parse(endpoint.received[0]!.body)).toMatchObject({
      ...{ message: "sum up", sessionId: expect.any(String) as string, jobId: id, attempt: 1 },
      caller: { username: "system" },
    });
  });

  test("hands back what is under way when it stops, for another to take up", async () => {
    const { opened, open } = gate();
    await using endpoint = await Endpoint.start(async (_request, response) => {
      await opened;
      response.end("late");
    });
    const first = await bench.dispatch();
    const id = await bench.enqueue(http(endpoint));
    await until(() => endpoint.received.length === 1, "a call");
    await first[Symbol.asyncDispose]();
    expect(await getJob(bench.sql, "crm", id)).toMatchObject({ status: "queued", attempts: [] });
    open();
    await using _second = await bench.dispatch();
    expect(await bench.ended(id)).toMatchObject({ status: "completed", attempt: 2 });
  });

  test("serves only the apps it is told to", async () => {
    await using endpoint = await Endpoint.start();
    await bench.sql`select carillon.install_app(app => 'billing')`;
    const billing = await bench.sql<{ id: number }[]>`
      select carillon.enqueue_job(app => 'billing',
        target => ${bench.sql.json(http(endpoint))}) as id`;
    const crm = await bench.enqueue(http(endpoint));
    await using _dispatcher = await bench.dispatch({}, { apps: ["crm"] });
    await bench.ended(crm);
    const left = await getJob(bench.sql, "billing", billing[0]!.id);
    expect(left.status).toBe("queued");
    await cancelJob(bench.sql, "billing", billing[0]!.id);
  });
});

describe("canceling and firing", () => {
  test("agree on what became of a job, whichever is first", async () => {
    const called = new Map<string, number>();
    await using endpoint = await Endpoint.start((request, response) => {
      const url = request.url ?? "";
      called.set(url, (called.get(url) ?? 0) + 1);
      response.end();
    });
    await using _a = await bench.dispatch();
    await using _b = await bench.dispatch();
    const races = Array.from({ length: 40 }, async (_, n) => {
      const runAt = new Date(Date.now() + 300 + n * 5);
      const url = `${endpoint.url}/race-${n}`;
      const id = await bench.enqueue({ type: "http", url }, `run_at => '${runAt.toISOString()}'`);
      // Some about when they are due, some while the call is under way, and some too late.
      if (n < 20) {
        await new Promise((resolve) => setTimeout(resolve, runAt.getTime() - Date.now() + n * 8));
      } else if (n < 35) await until(() => called.has(`/race-${n}`), "a call");
      else await bench.ended(id);
      const canceled = await cancelJob(bench.sql, "crm", id).then(
        () => true,
        () => false,
      );
      const job = await bench.ended(id);
      return { n, canceled, status: job.status, started: job.attempts.length };
    });
    const seen = new Set<string>();
    for (const { n, canceled, status, started } of await Promise.all(races)) {
      seen.add(status);
      const calls = called.get(`/race-${n}`) ?? 0;
      expect(status, `job ${n}`).toBe(canceled ? "canceled" : "completed");
      // One canceled in mid-call may have been answered; one canceled before is never made.
      if (status === "completed") expect(calls).toBe(1);
      else expect(calls).toBeLessThanOrEqual(started);
    }
    expect(seen).toContain("completed");
  });

  test("a canceled call is cut off", async () => {
    let closed = false;
    await using endpoint = await Endpoint.start((request) => {
      request.socket.once("close", () => (closed = true));
    });
    await using _dispatcher = await bench.dispatch();
    const id = await bench.enqueue(http(endpoint, { timeout: 300 }));
    await until(() => endpoint.received.length === 1, "a call");
    await cancelJob(bench.sql, "crm", id);
    await until(() => closed, "the end of the connection");
    expect(await bench.ended(id)).toMatchObject({ status: "canceled" });
  });
});
