import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { readFaktoryInstances } from "../../../src/targets/faktory/instances.js";
import { FaktorySpec } from "../../../src/targets/faktory/schema.js";
import { FaktoryTarget } from "../../../src/targets/faktory/target.js";
import type { Failed, Outcome } from "../../../src/targets/types.js";
import { context, job, pem } from "../support.js";
import { FaktoryDouble } from "./double.js";

const stack: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of stack.splice(0).reverse()) await each[Symbol.asyncDispose]();
});
const using = <T extends AsyncDisposable>(resource: T): T => {
  stack.push(resource);
  return resource;
};

const targetOf = (env: Record<string, string>) =>
  using(new FaktoryTarget(readFaktoryInstances(env), { ca: pem("ca.pem") }));

async function start(options: Parameters<typeof FaktoryDouble.start>[0] = {}, scheme = "tcp") {
  const double = using(await FaktoryDouble.start(options));
  const url = `${scheme}://localhost:${double.port}`;
  const target = targetOf({
    CARILLON_FAKTORY_DEFAULT_URL: url,
    ...(options.password === undefined
      ? {}
      : { CARILLON_FAKTORY_DEFAULT_PASSWORD: options.password }),
  });
  return { double, target, url };
}

const push = (target: FaktoryTarget, more: object = {}, signal?: AbortSignal): Promise<Outcome> =>
  target.run(
    FaktorySpec.parse({ type: "faktory", jobType: "smoke_job", timeout: 5, ...more }),
    job(),
    context(signal === undefined ? {} : { signal }),
  );

function failure(outcome: Outcome): Failed {
  expect(outcome.status).toBe("failed");
  return outcome as Failed;
}

describe("a push", () => {
  test("is accepted, and its jid is on record", async () => {
    const { double, target } = await start();
    expect(await push(target)).toEqual({
      status: "completed",
      result: {
        type: "faktory",
        instance: "default",
        jid: job().key,
        queue: "default",
        jobType: "smoke_job",
      },
    });
    expect(double.pushed).toEqual([
      { jid: job().key, jobtype: "smoke_job", queue: "default", args: [] },
    ]);
    expect(double.hellos).toEqual([
      { hostname: expect.any(String) as string, pid: process.pid, v: 2 },
    ]);
  });

  test("hands the worker the configured arguments, unchanged, and nothing else", async () => {
    const { double, target } = await start();
    const args = [{ account_id: "acct_123", n: 9007199254740991, x: 1.5 }, [null, "ü😀\r\n\0"], ""];
    await push(target, { args, queue: "reminders", reserveFor: 600, retry: -1 });
    expect(double.pushed).toEqual([
      {
        ...{ jid: job().key, jobtype: "smoke_job", queue: "reminders", args },
        ...{ reserve_for: 600, retry: -1 },
      },
    ]);
  });

  test("that is repeated carries the same jid", async () => {
    const { double, target } = await start();
    for (const attempt of [1, 2]) {
      await target.run({ type: "faktory", jobType: "t" }, job({ attempt }), context());
    }
    expect(new Set(double.pushed.map(({ jid }) => jid)).size).toBe(1);
  });

  test("shows that it knows the password", async () => {
    const { double, target } = await start({ password: "s3cret/ü" });
    expect((await push(target)).status).toBe("completed");
    expect(double.hellos[0]?.pwdhash).toMatch(/^[0-9a-f]{64}$/);
  });

  test("goes over TLS", async () => {
    const { double, target } = await start({ password: "p", certificate: "good" }, "tcp+tls");
    expect((await push(target)).status).toBe("completed");
    expect(double.pushed).toHaveLength(1);
  });

  test("uses the connection of the one before, and one that was cut is not used again", async () => {
    const { double, target } = await start({ password: "p" });
    for (let i = 0; i < 5; i++) await push(target);
    expect(double.connections).toBe(1);
    double.cut();
    await expect.poll(async () => (await push(target)).status).toBe("completed");
    expect(double.connections).toBe(2);
  });

  test("many at once are many connections, and all of them take leave", async () => {
    const { double, target } = await start();
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => push(target)));
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(["completed"]));
    expect(double.pushed).toHaveLength(50);
    await target[Symbol.asyncDispose]();
    await expect.poll(() => double.ended).toBe(double.connections);
  });
});

describe("queues", () => {
  test("are listed by name, with what they hold", async () => {
    const { target } = await start({ password: "p" });
    await push(target, { queue: "reminders" });
    await push(target, { queue: "a" });
    expect(await target.queues("DEFAULT")).toEqual([
      { name: "a", size: 1 },
      { name: "default", size: 0 },
      { name: "reminders", size: 1 },
    ]);
  });

  test("of an instance that is unknown, or not there", async () => {
    const target = targetOf({ CARILLON_FAKTORY_EU_URL: "127.0.0.1:1" });
    await expect(target.queues("us")).rejects.toMatchObject({ class: "unknown_instance" });
    await expect(target.queues("eu")).rejects.toMatchObject({ class: "connect" });
  });
});

/** A server that talks otherwise than Faktory: on connection, and to each line. */
async function peer(
  greeting: string,
  answer: (line: string, socket: Socket) => void = () => undefined,
  password = "",
): Promise<FaktoryTarget> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    socket.write(greeting);
    socket.on("data", (chunk) => {
      for (const line of String(chunk).split("\r\n").slice(0, -1)) answer(line, socket);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  using({
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  });
  const { port } = server.address() as AddressInfo;
  return targetOf({
    CARILLON_FAKTORY_DEFAULT_URL: `127.0.0.1:${port}`,
    CARILLON_FAKTORY_DEFAULT_PASSWORD: password,
  });
}

const HI = '+HI {"v":2}\r\n';

describe("a server that cannot be used", () => {
  test("is not configured: the job fails for good, and says what to set", async () => {
    const { error, retryable } = failure(await push(targetOf({}), { instance: "EU-west" }));
    expect(error).toEqual({
      class: "unknown_instance",
      message: "no instance eu_west; set CARILLON_FAKTORY_EU_WEST_URL",
    });
    expect(retryable).toBe(false);
  });

  test("is not there", async () => {
    const { error, retryable, result } = failure(
      await push(targetOf({ CARILLON_FAKTORY_DEFAULT_URL: "tcp://127.0.0.1:1" })),
    );
    expect(error.class).toBe("connect");
    expect(error.message).toContain("ECONNREFUSED");
    expect(retryable).toBe(true);
    expect(result).toMatchObject({ jid: job().key });
  });

  test("has no name anybody knows", async () => {
    const target = targetOf({ CARILLON_FAKTORY_DEFAULT_URL: "tcp://nowhere.invalid" });
    expect(failure(await push(target)).error.class).toBe("connect");
  });

  test("has another password, or none was given", async () => {
    const { double, url } = await start({ password: "right" });
    const wrong = targetOf({
      CARILLON_FAKTORY_DEFAULT_URL: url,
      CARILLON_FAKTORY_DEFAULT_PASSWORD: "wrong",
    });
    const { error } = failure(await push(wrong));
    expect(error).toEqual({
      class: "password",
      message: "the server refused the password in CARILLON_FAKTORY_DEFAULT_PASSWORD",
    });
    const none = failure(await push(targetOf({ CARILLON_FAKTORY_DEFAULT_URL: url })));
    expect(none.error.class).toBe("password");
    expect(none.error.message).toContain("set CARILLON_FAKTORY_DEFAULT_PASSWORD");
    expect(double.pushed).toHaveLength(0);
  });

  test.for(["stranger", "expired"])("has a certificate that is %s", async (certificate) => {
    const { target, double } = await start({ certificate }, "tcp+tls");
    expect(failure(await push(target)).error.class).toBe("tls");
    expect(double.hellos).toHaveLength(0);
  });

  test("has a certificate nobody trusts", async () => {
    const { url } = await start({ certificate: "good" }, "tcp+tls");
    const instances = readFaktoryInstances({ CARILLON_FAKTORY_DEFAULT_URL: url });
    expect(failure(await push(using(new FaktoryTarget(instances)))).error.class).toBe("tls");
  });

  test.for([
    ["on connection", "", () => undefined],
    ["after half a greeting", '+HI {"v":2', () => undefined],
    ["after the greeting", HI, () => undefined],
    [
      "after HELLO",
      HI,
      (line: string, socket: Socket) => {
        if (line.startsWith("HELLO")) socket.write("+OK\r\n");
      },
    ],
    [
      "in half an answer",
      HI,
      (line: string, socket: Socket) => {
        socket.write(line.startsWith("HELLO") ? "+OK\r\n" : "+O");
      },
    ],
    [
      "in half a body",
      HI,
      (line: string, socket: Socket) => {
        socket.write(line.startsWith("HELLO") ? "+OK\r\n" : '$500\r\n{"faktory"');
      },
    ],
  ] as const)("is silent %s: it fails within the deadline", async ([, greeting, answer]) => {
    const target = await peer(greeting, answer);
    const began = performance.now();
    const { error, retryable } = failure(await push(target, { timeout: 0.3 }));
    expect(error).toEqual({ class: "timeout", message: "the server did not answer in time" });
    expect(retryable).toBe(true);
    expect(performance.now() - began).toBeLessThan(2000);
  });

  test.for([
    ["another greeting", "+OK\r\n"],
    ["another protocol", "220 mail.example ESMTP\r\n"],
    ["HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n"],
    ["another version", '+HI {"v":3}\r\n'],
    ["a broken greeting", '+HI {"v":2,"i":\r\n'],
    ["a greeting without end", "+".repeat(100_000)],
    ["a body of no length", "$abc\r\n"],
    ["too large a body", "$99999999\r\n"],
  ])("says something else: %s", async ([, greeting]) => {
    expect(failure(await push(await peer(greeting ?? ""))).error.class).toBe("protocol");
  });

  test("asks for a billion rounds of hashing: it is not obeyed", async () => {
    const target = await peer('+HI {"v":2,"i":1000000000,"s":"x"}\r\n', undefined, "password");
    const { error } = failure(await push(target));
    expect(error).toMatchObject({ class: "protocol" });
    expect(error.message).toContain("1000000000 rounds");
  });

  test("closes instead of answering", async () => {
    const target = await peer(HI, (line, socket) => {
      if (line.startsWith("HELLO")) socket.write("+OK\r\n");
      else socket.destroy();
    });
    expect(failure(await push(target)).error.class).toBe("reset");
  });

  test("refuses the job, in its own words; the connection goes on", async () => {
    const { target, double } = await start();
    const refused = await target.run(
      { type: "faktory", jobType: "t" },
      job({ key: "short" }),
      context(),
    );
    expect(failure(refused).error).toEqual({
      class: "refused",
      message: "the server refused it: ERR jobs must have a reasonable jid parameter",
    });
    expect((await push(target)).status).toBe("completed");
    expect(double.connections).toBe(1);
  });
});

describe("a signal that is aborted", () => {
  test("before the push, and while it waits", async () => {
    const { double, target } = await start();
    const before = failure(await push(target, {}, AbortSignal.abort()));
    expect(before.error.class).toBe("aborted");
    expect(double.pushed).toHaveLength(0);
    const controller = new AbortController();
    const silent = await peer(HI, () => controller.abort());
    const during = failure(await push(silent, {}, controller.signal));
    expect(during.error.class).toBe("aborted");
  });
});

describe("the configuration", () => {
  const read = (env: Record<string, string>) => [...readFaktoryInstances(env).values()];

  test("names instances by their variables", () => {
    const instances = read({
      CARILLON_FAKTORY_DEFAULT_URL: "tcp://faktory:7419",
      CARILLON_FAKTORY_EU_WEST_URL: "tcp+tls://faktory.example",
      CARILLON_FAKTORY_EU_WEST_PASSWORD: "p",
      CARILLON_FAKTORY_BARE_URL: "[::1]:7",
      CARILLON_FAKTORY_EMPTY_URL: "",
      CARILLON_FAKTORY_DEFAULT_PASSWORD: "",
      OTHER: "tcp://x",
    });
    expect(instances).toEqual([
      { name: "default", host: "faktory", port: 7419, tls: false, password: undefined },
      { name: "eu_west", host: "faktory.example", port: 7419, tls: true, password: "p" },
      { name: "bare", host: "::1", port: 7, tls: false, password: undefined },
    ]);
  });

  test.for([
    ["tcp://:secret@faktory:7419", "must not hold a password"],
    ["redis://faktory", "must begin with"],
    ["tcp://faktory:7419/queue", "must have a host and nothing after the port"],
    ["tcp://faktory:0", "must have a host"],
    ["tcp://", "must have a host"],
    ["a b", "must be tcp://host:port"],
  ])("does not take %s", ([url, message]) => {
    expect(() => read({ CARILLON_FAKTORY_X_URL: url ?? "" })).toThrow(
      expect.objectContaining({
        code: "invalid_config",
        message: expect.stringContaining(`CARILLON_FAKTORY_X_URL: ${message}`) as string,
      }),
    );
  });

  test("does not take a password without its URL, and never tells one", () => {
    expect(() => read({ CARILLON_FAKTORY_X_PASSWORD: "hush" })).toThrow(/goes with/);
    try {
      read({ CARILLON_FAKTORY_X_URL: "tcp://:hush@h" });
    } catch (error) {
      expect(JSON.stringify(error) + String(error)).not.toContain("hush");
    }
  });
});

describe("the spec", () => {
  test.for([
    [{}, true],
    [{ instance: null, queue: null, args: null, retry: null }, true],
    [{ args: [[{ deep: 9007199254740992 }]] }, false],
    [{ args: [1e300] }, false],
    [{ args: [0.1, -1] }, true],
    [{ args: {} }, false],
    [{ queue: "" }, false],
    [{ queue: "a b" }, false],
    [{ jobType: "" }, false],
    [{ jobType: "Mod::Job#x" }, true],
    [{ reserveFor: 10 }, false],
    [{ timeout: 301 }, false],
    [{ jid: "mine" }, false],
  ])("%j", ([more, valid]) => {
    const spec = { type: "faktory", jobType: "t", ...(more as object) };
    expect(FaktorySpec.safeParse(spec).success).toBe(valid);
  });
});
