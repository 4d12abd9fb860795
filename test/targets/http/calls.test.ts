import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { brotliCompressSync, constants, deflateSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AllowList } from "../../../src/targets/http/allow.js";
import type { HttpRecord } from "../../../src/targets/http/record.js";
import { HttpSpec } from "../../../src/targets/http/schema.js";
import { HttpTarget } from "../../../src/targets/http/target.js";
import { verifyWebhook } from "../../../src/targets/http/verify.js";
import type { Outcome } from "../../../src/targets/types.js";
import { context, job } from "../support.js";
import { Endpoint } from "./endpoint.js";

const answers = new Map<string, (response: ServerResponse, body: string) => unknown>();
let endpoint: Endpoint;
let elsewhere: Endpoint;
let target: HttpTarget;

beforeAll(async () => {
  endpoint = await Endpoint.start((request, response, body) => {
    const answer = answers.get(request.url ?? "");
    return answer === undefined ? response.end("ok") : answer(response, body);
  });
  elsewhere = await Endpoint.start();
  target = new HttpTarget({ allow: new AllowList("127.0.0.0/8"), version: "1.2.3" });
});
afterAll(async () => {
  await target[Symbol.asyncDispose]();
  await endpoint[Symbol.asyncDispose]();
  await elsewhere[Symbol.asyncDispose]();
});

/** Calls a path with the given answer. */
async function call(
  more: Partial<HttpSpec> = {},
  answer?: (response: ServerResponse, body: string) => unknown,
  [theJob, theContext] = [job(), context()],
): Promise<Outcome> {
  const path = `/${crypto.randomUUID()}`;
  if (answer !== undefined) answers.set(path, answer);
  const spec = HttpSpec.parse({ type: "http", url: endpoint.url + path, ...more });
  return target.run(spec, theJob, theContext);
}

const record = (outcome: Outcome) => outcome.result as HttpRecord;
const last = (from = endpoint) => {
  const request = from.received.at(-1);
  if (request === undefined) throw new Error("nothing was received");
  return request;
};

describe("the request", () => {
  test.for(["GET", "POST", "PUT", "PATCH", "DELETE"] as const)(
    "%s, with a body",
    async (method) => {
      const outcome = await call({ method, body: "plain & simple" });
      expect(outcome.status).toBe("completed");
      expect(last()).toMatchObject({ method, body: "plain & simple" });
      expect(last().headers).not.toHaveProperty("content-type");
      expect(last().headers).not.toHaveProperty("transfer-encoding");
    },
  );

  test.for(["GET", "DELETE"] as const)("%s has no body by default", async (method) => {
    expect(await call({ method })).toMatchObject({ status: "completed" });
    expect(last()).toMatchObject({ method, body: "" });
    expect(last().headers).not.toHaveProperty("content-type");
  });

  test.for(["POST", "PUT", "PATCH"] as const)("%s tells the job by default", async (method) => {
    await call({ method });
    expect(last().headers["content-type"]).toBe("application/json");
    expect(JSON.parse(last().body)).toEqual({
      jobId: 42,
      appId: "crm",
      cronId: job().cronId,
      scheduledFor: "2026-05-08T10:30:00.000Z",
      trigger: "automatic",
      payload: { customer: "acme" },
    });
  });

  test.for([
    ["an object", { a: [1, "ü", null] }, '{"a":[1,"ü",null]}'],
    ["a list", [1, 2], "[1,2]"],
    ["a number", 7, "7"],
    ["false", false, "false"],
  ])("%s as body is JSON", async ([, body, sent]) => {
    await call({ body });
    expect(last().body).toBe(sent);
    expect(last().headers["content-type"]).toBe("application/json");
  });

  test("an empty text as body is no body, and characters stay what they are", async () => {
    await call({ body: "" });
    expect(last().body).toBe("");
    await call({ body: '{"user_id": "usr_001", "✓": "😀"}' });
    expect(last().body).toBe('{"user_id": "usr_001", "✓": "😀"}');
  });

  test("headers: the configured ones override the defaults, whatever their case", async () => {
    const headers = { "user-agent": "mine", "CONTENT-TYPE": "application/xml", "X-Name": "ä" };
    await call({ headers, body: { a: 1 } });
    const { headers: received, names } = last();
    expect(received["user-agent"]).toBe("mine");
    expect(received["content-type"]).toBe("application/xml");
    expect(received["x-name"]).toBe("ä");
    expect(names).toContain("X-Name");
    expect(names.filter((name) => /^user-agent$/i.test(name))).toHaveLength(1);
  });

  test("tells the job, the slot, the attempt and the trace", async () => {
    await call({}, undefined, [job({ attempt: 1 }), context()]);
    const first = last().headers;
    await call({}, undefined, [job({ attempt: 2 }), context()]);
    const second = last().headers;
    expect(first).toMatchObject({
      "user-agent": "carillon/1.2.3",
      "idempotency-key": "job_42_0123456789abcdef0123",
      "carillon-app": "crm",
      "carillon-job": "42",
      "carillon-attempt": "1",
      "carillon-trigger": "automatic",
      "carillon-cron": job().cronId,
      "carillon-slot": "2026-05-08T10:30:00.000Z",
    });
    expect(second["idempotency-key"]).toBe(first["idempotency-key"]);
    expect(second["carillon-attempt"]).toBe("2");
    const [one = "", two = ""] = [first.traceparent, second.traceparent].map(String);
    expect(one).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(two.slice(0, 36)).toBe(one.slice(0, 36));
    expect(two).not.toBe(one);
  });

  test("a job without cron and slot says nothing of them", async () => {
    await call({}, undefined, [job({ cronId: null, scheduledFor: null }), context()]);
    expect(last().headers).not.toHaveProperty("carillon-cron");
    expect(last().headers).not.toHaveProperty("carillon-slot");
  });

  test("is signed with both secrets, over the body as it is sent", async () => {
    const signing = ["whsec_bmV3ZXIgc2VjcmV0IG9mIDI0Kw==", "whsec_b2xkZXIgc2VjcmV0IG9mIDI0Kw=="];
    await call({ body: "ünïcode" }, undefined, [job(), context({ signing })]);
    const { headers, body } = last();
    expect(String(headers["webhook-signature"]).split(" ")).toHaveLength(2);
    for (const secrets of signing) {
      expect(await verifyWebhook({ secrets, headers, body })).toBe(job().key);
    }
    await expect(
      verifyWebhook({ secrets: signing, headers, body: `${body}!` }),
    ).rejects.toMatchObject({ reason: "signature" });
  });
});

describe("secrets", () => {
  const secrets = { API_KEY: "s3cr3t-v4lue", OTHER: "0ther-v4lue" };

  test("are sent, and neither recorded nor logged", async () => {
    const given = context({ secrets });
    const headers = {
      Authorization: "Bearer {{secret.API_KEY}}",
      "X-Both": "{{ secret.OTHER }}/{{secret.API_KEY}}",
      "X-Api-Key": "written out",
    };
    const outcome = await call({ headers }, undefined, [job(), given]);
    expect(last().headers).toMatchObject({
      authorization: "Bearer s3cr3t-v4lue",
      "x-both": "0ther-v4lue/s3cr3t-v4lue",
      "x-api-key": "written out",
    });
    expect(record(outcome).request.headers).toMatchObject({
      Authorization: "Bearer {{secret.API_KEY}}",
      "X-Api-Key": "[redacted]",
    });
    const kept = JSON.stringify([outcome, given.lines]);
    expect(kept).not.toMatch(/v4lue|written out/);
  });

  test.for([
    ["a missing one", "secret_missing", "{{secret.NONE}}", "the app has no secret named NONE"],
    ["one that no header can carry", "secret", "{{secret.BAD}}", "the secret BAD has characters"],
  ])("%s fails the job for good, and nothing is sent", async ([, kind, value, message]) => {
    const before = endpoint.received.length;
    const given = context({ secrets: { BAD: "line\r\nInjected: yes" } });
    const outcome = await call({ headers: { "X-Key": value ?? "" } }, undefined, [job(), given]);
    expect(outcome).toMatchObject({ status: "failed", retryable: false });
    expect(outcome).toMatchObject({ error: { class: kind } });
    expect((outcome as { error: { message: string } }).error.message).toContain(message);
    expect(JSON.stringify(outcome)).not.toContain("Injected");
    expect(endpoint.received).toHaveLength(before);
  });
});

describe("the answer", () => {
  test("is recorded: status, headers, body, and where the time went", async () => {
    const outcome = await call({ method: "PUT" }, (response) => {
      response.writeHead(201, { "X-One": "1", "Set-Cookie": ["a=1", "b=2"] });
      response.end('{"made": true}');
    });
    expect(outcome).toMatchObject({
      status: "completed",
      result: {
        type: "http",
        request: { method: "PUT" },
        redirects: [],
        statusCode: 201,
        headers: { "x-one": "1", "set-cookie": ["a=1", "b=2"] },
        body: '{"made": true}',
        bodyEncoding: "text",
        bodyTruncated: false,
      },
    });
    const { timing } = record(outcome);
    expect(timing.tls).toBeNull();
    expect(timing.firstByte).toBeTypeOf("number");
    expect(timing.total).toBeGreaterThanOrEqual(timing.firstByte ?? Infinity);
  });

  test("comes over a kept connection, which then took no time to make", async () => {
    await using own = await Endpoint.start();
    const spec = HttpSpec.parse({ type: "http", url: own.url });
    const timings = [];
    for (let i = 0; i < 3; i++) {
      timings.push(record(await target.run(spec, job(), context())).timing);
    }
    expect(own.connections).toBe(1);
    expect(timings[0]?.connect).toBeTypeOf("number");
    expect(timings[0]?.dns).toBeNull();
    expect(timings.slice(1).map(({ connect }) => connect)).toEqual([null, null]);
  });

  test.for([
    [200, undefined, "completed"],
    [204, undefined, "completed"],
    [299, undefined, "completed"],
    [304, undefined, "failed"],
    [302, undefined, "failed"],
    [400, undefined, "failed"],
    [500, undefined, "failed"],
    [200, 201, "failed"],
    [201, 201, "completed"],
    [404, "4xx", "completed"],
    [404, [200, "404-410"], "completed"],
    [411, [200, "404-410"], "failed"],
    [302, [302], "completed"],
    [500, "100-599", "completed"],
  ] as const)("%i where %j is expected: %s", async ([status, expectedStatus, verdict]) => {
    const more = { expectedStatus: expectedStatus as HttpSpec["expectedStatus"] };
    const outcome = await call(more, (response) => {
      response.writeHead(status, { Location: "/other" }).end();
    });
    expect(outcome.status).toBe(verdict);
    expect(record(outcome).statusCode).toBe(status);
    if (outcome.status === "failed") {
      expect(outcome).toMatchObject({ error: { class: "status" }, retryable: true });
      expect(outcome.broken).toBe(status >= 500);
      expect(outcome.error.message).toContain(String(status));
    }
  });

  test("410 means that no more calls are wanted", async () => {
    const outcome = await call({}, (response) => response.writeHead(410).end());
    expect(outcome).toMatchObject({ status: "failed", retryable: false });
  });

  test.for([
    [429, "120", 120_000],
    [503, "0", 0],
    [503, "Fri, 31 Dec 1999 23:59:59 GMT", 0],
    [503, "9999999", 86_400_000],
    [503, "soon", undefined],
    [503, "-5", undefined],
    [500, "120", undefined],
  ] as const)("%i with Retry-After: %s", async ([status, value, wait]) => {
    const outcome = await call({}, (response) => {
      response.writeHead(status, { "Retry-After": value }).end();
    });
    expect(outcome).toMatchObject({ status: "failed", retryable: true });
    expect((outcome as { retryAfterMs?: number }).retryAfterMs).toBe(wait);
  });

  test("429 with a date to come back at", async () => {
    const outcome = await call({}, (response) => {
      const date = new Date(Date.now() + 60_000).toUTCString();
      response.writeHead(429, { "Retry-After": date }).end();
    });
    const { retryAfterMs = 0 } = outcome as { retryAfterMs?: number };
    expect(retryAfterMs).toBeGreaterThan(50_000);
    expect(retryAfterMs).toBeLessThanOrEqual(60_000);
  });
});

describe("the answer's body", () => {
  const zeros = Buffer.alloc(100_000_000, "0");
  const body = async (headers: Record<string, string>, bytes: Buffer | string) => {
    const outcome = await call({}, (response) => response.writeHead(200, headers).end(bytes));
    expect(outcome.status).toBe("completed");
    const { body, bodyEncoding, bodyTruncated } = record(outcome);
    return { body, bodyEncoding, bodyTruncated };
  };
  const text = (body: string | null, bodyTruncated = false) => ({
    ...{ body, bodyEncoding: "text", bodyTruncated },
  });

  test("none is null", async () => {
    expect(await body({}, "")).toEqual(text(null));
  });

  test.for([
    ["gzip", gzipSync],
    ["x-gzip", gzipSync],
    ["GZIP", gzipSync],
    ["deflate", deflateSync],
    ["br", brotliCompressSync],
  ] as const)("compressed by %s is read", async ([coding, compress]) => {
    const headers = { "Content-Encoding": coding, "Content-Type": "text/plain" };
    expect(await body(headers, compress("grüße"))).toEqual(text("grüße"));
  });

  test.for([
    ["gzip", gzipSync(zeros, { level: 1 })],
    ["br", brotliCompressSync(zeros, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
  ] as const)("a bomb of %s costs no more than what is kept", async ([coding, bomb]) => {
    const before = process.memoryUsage().rss;
    const kept = await body({ "Content-Encoding": coding }, bomb);
    expect(process.memoryUsage().rss - before).toBeLessThan(50_000_000);
    expect(kept).toEqual(text("0".repeat(65_536), true));
  });

  test("what claims to be compressed and is not is kept as it came", async () => {
    expect(await body({ "Content-Encoding": "gzip" }, "no gzip")).toEqual(text("no gzip"));
    expect(await body({ "Content-Encoding": "zstd" }, "?")).toEqual(text("?"));
  });

  test("charsets are read, binary becomes base64", async () => {
    const latin = Buffer.from("gr\xfc\xdfe", "latin1");
    expect(await body({ "Content-Type": "text/plain; charset=iso-8859-1" }, latin)).toEqual(
      text("grüße"),
    );
    const utf16 = Buffer.from("hé", "utf16le");
    expect(await body({ "Content-Type": 'text/plain; charset="utf-16le"' }, utf16)).toEqual(
      text("hé"),
    );
    expect(await body({ "Content-Type": "text/plain; charset=klingon" }, "ä")).toEqual(text("ä"));
    const binary = Buffer.from([0x89, 0x50, 0, 0xff]);
    expect(await body({ "Content-Type": "image/png" }, binary)).toEqual({
      ...{ body: binary.toString("base64"), bodyEncoding: "base64", bodyTruncated: false },
    });
  });

  test("64 KiB are kept, and a character at the cut is left out whole", async () => {
    expect(await body({}, "x".repeat(65_536))).toEqual(text("x".repeat(65_536)));
    expect(await body({}, "x".repeat(65_535) + "üü")).toEqual(text("x".repeat(65_535), true));
    expect(await body({}, "x".repeat(900_000))).toEqual(text("x".repeat(65_536), true));
  });

  test("one without end is cut off, and does not hold the job up", async () => {
    let cut: Promise<unknown> = Promise.resolve();
    const outcome = await call({ timeout: 20 }, (response) => {
      cut = once(response, "close");
      const more = () => {
        while (!response.destroyed && response.write("y".repeat(65_536)));
      };
      response.on("drain", more);
      more();
    });
    expect(outcome.status).toBe("completed");
    expect(record(outcome)).toMatchObject({ statusCode: 200, bodyTruncated: true });
    expect(record(outcome).body).toHaveLength(65_536);
    await cut;
  });
});

describe("redirects", () => {
  /** Redirects `hops` times, then says what it got. */
  const chain = (hops: number, status: number) => {
    const id = crypto.randomUUID();
    for (let i = 0; i < hops; i++) {
      answers.set(`/${id}/${i}`, (response) =>
        response.writeHead(status, { Location: `${i + 1}?x=1#fragment` }).end(),
      );
      answers.set(`/${id}/${i}?x=1`, (response) =>
        response.writeHead(status, { Location: `${i + 1}?x=1` }).end(),
      );
    }
    return `${endpoint.url}/${id}/0`;
  };

  test("are off by default", async () => {
    const outcome = await call({ url: chain(1, 302) });
    expect(outcome).toMatchObject({ status: "failed", error: { class: "status" } });
    expect(record(outcome)).toMatchObject({ statusCode: 302, redirects: [] });
  });

  test.for([
    ["POST", 301, "GET"],
    ["POST", 302, "GET"],
    ["PUT", 302, "PUT"],
    ["POST", 303, "GET"],
    ["DELETE", 303, "GET"],
    ["POST", 307, "POST"],
    ["PATCH", 308, "PATCH"],
  ] as const)("%s, redirected by %i, is followed by %s", async ([method, status, then]) => {
    const outcome = await call({ method, url: chain(2, status), redirects: 2, body: "b" });
    expect(outcome.status).toBe("completed");
    expect(record(outcome).redirects.map((hop) => hop.status)).toEqual([status, status]);
    expect(last()).toMatchObject({ method: then, body: then === "GET" ? "" : "b" });
    expect(last().headers["idempotency-key"]).toBe(job().key);
  });

  test("one too many fails", async () => {
    const outcome = await call({ url: chain(3, 307), redirects: 2 });
    expect(outcome).toMatchObject({
      status: "failed",
      error: { class: "redirect", message: "redirected more than 2 times" },
      result: { statusCode: 307 },
    });
  });

  test("another origin gets neither credentials nor signature", async () => {
    const given = context({ secrets: { KEY: "hidden" }, signing: ["whsec_c2VjcmV0"] });
    const headers = {
      Authorization: "Basic abc",
      Cookie: "session=1",
      "X-Mine": "{{secret.KEY}}",
      "X-Open": "yes",
    };
    const outcome = await call(
      { redirects: 1, headers },
      (response) => response.writeHead(307, { Location: elsewhere.url }).end(),
      [job(), given],
    );
    expect(outcome.status).toBe("completed");
    const { headers: got } = last(elsewhere);
    expect(got["x-open"]).toBe("yes");
    for (const name of ["authorization", "cookie", "x-mine", "webhook-id", "webhook-signature"]) {
      expect(got, name).not.toHaveProperty(name);
    }
  });

  test.for([
    ["http://", "no URL"],
    ["ftp://127.0.0.1/", "http or https"],
    ["http://user:secret@127.0.0.1/", "user or password"],
    ["javascript:alert(1)", "http or https"],
  ])("to %s is not followed", async ([location, message]) => {
    const outcome = await call({ redirects: 3 }, (response) =>
      response.writeHead(302, { Location: location }).end(),
    );
    expect(outcome).toMatchObject({ status: "failed", error: { class: "redirect" } });
    expect((outcome as { error: { message: string } }).error.message).toContain(message);
  });
});

test("the timeout is for all of it, and longer calls are waited for", async () => {
  const outcome = await call({ timeout: 5 }, async (response) => {
    await sleep(300);
    response.end("late");
  });
  expect(outcome.status).toBe("completed");
  expect(record(outcome).timing.firstByte).toBeGreaterThan(250);
});
