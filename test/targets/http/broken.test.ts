import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { AllowList } from "../../../src/targets/http/allow.js";
import type { HttpRecord } from "../../../src/targets/http/record.js";
import { HttpSpec } from "../../../src/targets/http/schema.js";
import { HttpTarget } from "../../../src/targets/http/target.js";
import type { Failed, Outcome } from "../../../src/targets/types.js";
import { context, job, pem } from "../support.js";
import { Endpoint } from "./endpoint.js";

const allow = new AllowList("127.0.0.0/8,::1,localhost:1");
const target = new HttpTarget({ allow, version: "0", ca: pem("ca.pem") });
const servers: Server[] = [];
const sockets = new Set<Socket>();

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});
afterAll(() => target[Symbol.asyncDispose]());

/** A bare TCP server, for what no HTTP server would do; `told` gets what was sent to it so far. */
async function peer(talk: (socket: Socket, told: string) => void): Promise<string> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket.on("close", () => sockets.delete(socket)).on("error", () => undefined));
    let told = "";
    socket.on("data", (chunk) => talk(socket, (told += String(chunk))));
  });
  servers.push(server.listen(0, "127.0.0.1"));
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const run = (url: string, more: Partial<HttpSpec> = {}, signal?: AbortSignal): Promise<Outcome> =>
  target.run(
    HttpSpec.parse({ type: "http", url, timeout: 5, ...more }),
    job(),
    context(signal === undefined ? {} : { signal }),
  );

function failure(outcome: Outcome): Failed & { result: HttpRecord } {
  expect(outcome.status).toBe("failed");
  return outcome as Failed & { result: HttpRecord };
}

const HEAD = "HTTP/1.1 200 OK\r\n";

describe("a server that does not answer", () => {
  test("hangs: the timeout ends it", async () => {
    const url = await peer(() => undefined);
    const { error, result, retryable } = failure(await run(url, { timeout: 0.3 }));
    expect(error).toEqual({ class: "timeout", message: "no answer came in time" });
    expect(retryable).toBe(true);
    expect(result.statusCode).toBeNull();
    expect(result.timing.total).toBeGreaterThanOrEqual(295);
    expect(result.timing.total).toBeLessThan(2000);
    expect(result.timing.connect).toBeTypeOf("number");
  });

  test("hangs in its headers", async () => {
    const url = await peer((socket) => socket.write("HTTP/1.1 200 OK\r\nX-Half:"));
    expect(failure(await run(url, { timeout: 0.3 })).error.class).toBe("timeout");
  });

  test("hangs in its body: what came is on record", async () => {
    const url = await peer((socket) => socket.write(`${HEAD}Content-Length: 100\r\n\r\npart`));
    const { error, result } = failure(await run(url, { timeout: 2 }));
    expect(error).toEqual({ class: "timeout", message: "the answer's body did not end in time" });
    expect(result).toMatchObject({ statusCode: 200, body: "part" });
  });

  test("drips: it is the whole call that may take so long", async () => {
    const url = await peer((socket) => {
      socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
      const drip = setInterval(() => socket.write("1\r\nx\r\n"), 20);
      socket.on("close", () => clearInterval(drip));
    });
    const { error, result } = failure(await run(url, { timeout: 2 }));
    expect(error.class).toBe("timeout");
    expect(result.body).toMatch(/^x{2,}$/);
  });

  test("does not even take the connection", async () => {
    // A full backlog: nothing accepts, so the last SYN is never answered.
    const { url, close } = await deaf();
    const { error, result } = failure(await run(url, { timeout: 0.5 }));
    expect(error).toEqual({ class: "timeout", message: "no connection could be made in time" });
    expect(result.timing.total).toBeLessThan(2000);
    close();
  });
});

/** A port whose queue of connections is full. */
async function deaf(): Promise<{ url: string; close: () => void }> {
  const { spawn } = await import("node:child_process");
  const python = `
import socket, sys
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(0)
held = []
for _ in range(8):
    c = socket.socket(); c.setblocking(False); c.connect_ex(s.getsockname()); held.append(c)
print(s.getsockname()[1], flush=True)
sys.stdin.read()`;
  const child = spawn("python3", ["-c", python], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return {
    url: `http://127.0.0.1:${Number(String(line))}/`,
    close: () => child.kill(),
  };
}

describe("a connection that breaks", () => {
  test("nobody listens", async () => {
    const free = await Endpoint.start();
    const url = free.url;
    await free[Symbol.asyncDispose]();
    const { error, retryable, broken } = failure(await run(url));
    expect(broken).toBe(true);
    expect(error).toEqual({
      class: "connect",
      message: "no connection could be made (ECONNREFUSED)",
    });
    expect(retryable).toBe(true);
  });

  test("is reset before the answer", async () => {
    const url = await peer((socket) => socket.resetAndDestroy());
    expect(failure(await run(url)).error.class).toBe("reset");
  });

  test("is closed before the answer", async () => {
    const url = await peer((socket) => socket.destroy());
    expect(failure(await run(url)).error.class).toBe("reset");
  });

  test("is half closed, and nothing comes", async () => {
    const url = await peer((socket) => socket.end());
    expect(failure(await run(url)).error.class).toBe("reset");
  });

  test("is half closed after the answer: that is an answer", async () => {
    const url = await peer((socket) => socket.end(`${HEAD}\r\nuntil the end`));
    const outcome = await run(url);
    expect(outcome).toMatchObject({ status: "completed", result: { body: "until the end" } });
  });

  test.for([
    ["reset", (socket: Socket) => socket.resetAndDestroy()],
    ["closed", (socket: Socket) => socket.end()],
  ] as const)("is %s in the body: no success, whatever the status said", async ([, end]) => {
    const url = await peer((socket) => {
      socket.write(`${HEAD}Content-Length: 100\r\n\r\npart`);
      setTimeout(() => end(socket), 50);
    });
    const { error, result } = failure(await run(url));
    expect(["reset", "protocol"]).toContain(error.class);
    expect(result).toMatchObject({ statusCode: 200, body: "part" });
  });

  test("a call on a kept connection that is gone makes a new one", async () => {
    let calls = 0;
    const url = await peer((socket) => {
      calls += 1;
      socket.write(`${HEAD}Content-Length: 2\r\n\r\nok`);
      socket.end();
    });
    for (let i = 0; i < 3; i++) {
      expect((await run(url)).status).toBe("completed");
      await Promise.all([...sockets].map((socket) => once(socket, "close")));
    }
    expect(calls).toBe(3);
  });
});

describe("an answer that is no HTTP", () => {
  test.for([
    ["another protocol", "220 mail.example ESMTP\r\n"],
    ["bytes", "\0\x01\x02\xff\r\n\r\n"],
    ["two lengths", `${HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`],
    [
      "a length and chunks",
      `${HEAD}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ["a broken chunk", `${HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n`],
    [
      "headers without end",
      `${HEAD}${"X-Large: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n".repeat(500)}`,
    ],
  ])("%s", async ([, bytes]) => {
    const url = await peer((socket) => socket.write(bytes ?? "", "latin1"));
    expect(failure(await run(url)).error.class).toBe("protocol");
  });

  test("what comes after an answer is not taken for the next one", async () => {
    const url = await peer((socket) =>
      socket.write(
        `${HEAD}Content-Length: 3\r\n\r\noneHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfake`,
      ),
    );
    for (let i = 0; i < 2; i++) {
      const outcome = await run(url);
      expect((outcome.result as HttpRecord).body).not.toBe("fake");
    }
  });

  test("100 Continue and 103 Early Hints come before the answer", async () => {
    const url = await peer((socket) => {
      socket.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
      socket.write(`HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok`);
    });
    expect(await run(url)).toMatchObject({
      status: "completed",
      result: { statusCode: 201, body: "ok" },
    });
  });
});

describe("TLS", () => {
  test("a certificate of a trusted authority, for the host", async () => {
    await using endpoint = await Endpoint.start(undefined, { certificate: "good" });
    for (const host of ["127.0.0.1", "localhost"]) {
      const outcome = await run(`https://${host}:${endpoint.port}/`);
      expect(outcome.status).toBe("completed");
      expect((outcome.result as HttpRecord).timing.tls).toBeGreaterThan(0);
    }
  });

  const verdicts = [
    ["expired", "CERT_HAS_EXPIRED"],
    ["stranger", "ERR_TLS_CERT_ALTNAME_INVALID"],
  ] as const;
  test.for(verdicts)("a certificate that is %s", async ([certificate, code]) => {
    await using endpoint = await Endpoint.start(undefined, { certificate });
    const { error, retryable } = failure(await run(`https://localhost:${endpoint.port}/`));
    expect(error).toEqual({ class: "tls", message: `the TLS connection was not made (${code})` });
    expect(retryable).toBe(true);
    expect(endpoint.received).toHaveLength(0);
  });

  test("a certificate of an unknown authority, whatever the environment says", async () => {
    await using endpoint = await Endpoint.start(undefined, { certificate: "good" });
    await using stock = new HttpTarget({ allow, version: "0" });
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    try {
      const spec = HttpSpec.parse({ type: "http", url: `https://localhost:${endpoint.port}/` });
      expect(failure(await stock.run(spec, job(), context())).error.class).toBe("tls");
    } finally {
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
    }
    expect(endpoint.received).toHaveLength(0);
  });

  test("a server that speaks no TLS, and one that is silent", async () => {
    const plain = await peer((socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"));
    expect(failure(await run(plain.replace("http:", "https:"))).error.class).toBe("tls");
    const silent = await peer(() => undefined);
    const { error } = failure(await run(silent.replace("http:", "https:"), { timeout: 0.3 }));
    expect(error.class).toBe("timeout");
  });

  test("is not left for plain http", async () => {
    await using plain = await Endpoint.start();
    await using endpoint = await Endpoint.start(
      (_request, response) => response.writeHead(302, { Location: plain.url }).end(),
      { certificate: "good" },
    );
    const { error } = failure(await run(endpoint.url, { redirects: 1 }));
    expect(error).toEqual({
      class: "redirect",
      message: "the answer redirects from https to http",
    });
    expect(plain.received).toHaveLength(0);
  });
});

describe("a signal that is aborted", () => {
  test("before the call: nothing is sent", async () => {
    await using endpoint = await Endpoint.start();
    const { error } = failure(await run(endpoint.url, {}, AbortSignal.abort()));
    expect(error.class).toBe("aborted");
    expect(endpoint.connections).toBe(0);
  });

  test("during the call: the connection is cut at once", async () => {
    const controller = new AbortController();
    let closed: Promise<unknown> = Promise.resolve();
    const url = await peer((socket) => {
      // Half open as it is here, the socket ends and does not close.
      closed = Promise.race([once(socket, "end"), once(socket, "close")]);
      controller.abort();
    });
    const outcome = await run(url, { timeout: 300 }, controller.signal);
    expect(failure(outcome).error.class).toBe("aborted");
    await closed;
  });

  test("during the body: what came is on record", async () => {
    const controller = new AbortController();
    await using endpoint = await Endpoint.start((_request, response) => {
      response.write("first");
      setTimeout(() => controller.abort(), 100);
    });
    const { error, result } = failure(await run(endpoint.url, {}, controller.signal));
    expect(error.class).toBe("aborted");
    expect(result).toMatchObject({ statusCode: 200, body: "first" });
  });
});
