import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { hostname, tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { KEY_LABEL } from "../../../src/targets/container/create.js";
import { Engine } from "../../../src/targets/container/engine.js";
import { AllowedImages } from "../../../src/targets/container/images.js";
import type { ContainerRecord } from "../../../src/targets/container/outcome.js";
import { ContainerSpec } from "../../../src/targets/container/schema.js";
import { ContainerTarget } from "../../../src/targets/container/target.js";
import type { Failed, Outcome } from "../../../src/targets/types.js";
import { JobAborted } from "../../../src/worker/abort.js";
import { context, job, type TestContext } from "../support.js";

/*
 * Against the engine whose socket CARILLON_TEST_DOCKER_SOCKET names, with the image localhost/bb:test
 * (busybox): test/targets/containers.sh brings both.
 */

const socketPath = process.env.CARILLON_TEST_DOCKER_SOCKET ?? "";
if (socketPath === "") throw new Error("run it by test/targets/containers.sh");

const newTarget = () =>
  new ContainerTarget({
    ...{ socketPath, images: new AllowedImages("crm=**"), networks: new Set(["host"]) },
  });
const target = newTarget();
const engine = new Engine(socketPath);
afterAll(async () => {
  expect(await engine.list(KEY_LABEL)).toEqual([]);
  await target[Symbol.asyncDispose]();
  await engine[Symbol.asyncDispose]();
});

const spec = (script: string, more: object = {}): ContainerSpec =>
  ContainerSpec.parse({
    ...{ type: "container", image: "localhost/bb:test", cmd: ["sh", "-c", script], timeout: 60 },
    ...more,
  });

/** A job nobody had before. */
const newJob = (attempt = 1) => job({ key: `job_1_${randomUUID()}`, attempt });

const run = (script: string, more: object = {}, given: TestContext = context()): Promise<Outcome> =>
  target.run(spec(script, more), newJob(), given);

const out = ({ streams }: TestContext, stream: "stdout" | "stderr" = "stdout"): string =>
  Buffer.concat(streams[stream]).toString("latin1");

function failure(outcome: Outcome): Failed & { result: ContainerRecord } {
  expect(outcome.status).toBe("failed");
  return outcome as Failed & { result: ContainerRecord };
}

/** Waits until a container has written so much. */
const wrote = (given: TestContext, text: string) =>
  expect.poll(() => out(given), { timeout: 20_000, interval: 20 }).toContain(text);

describe("the exit code decides", () => {
  test("0 is success", async () => {
    const given = context();
    const began = Date.now();
    const outcome = await run("echo out; echo err >&2", {}, given);
    expect(outcome).toMatchObject({
      status: "completed",
      result: { type: "container", image: "localhost/bb:test", exitCode: 0, startedByAttempt: 1 },
    });
    const { startedAt, finishedAt } = outcome.result as ContainerRecord;
    expect(Date.parse(startedAt)).toBeGreaterThan(began - 1000);
    // The engine notes the start when it has seen it, which may be after the end.
    expect(Date.parse(finishedAt)).toBeGreaterThan(Date.parse(startedAt) - 1000);
    expect([out(given), out(given, "stderr")]).toEqual(["out\n", "err\n"]);
  });

  test("3 is none", async () => {
    const { error, result, retryable } = failure(await run("exit 3"));
    expect(error).toEqual({ class: "exit", message: "the container exited with 3" });
    expect(result.exitCode).toBe(3);
    expect(retryable).toBe(true);
  });

  test("a signal is none", async () => {
    const { error } = failure(await run("sh -c 'kill -SEGV $$'; exit $?"));
    expect(error.message).toBe("the container exited with 139 (signal 11)");
  });

  test("out of memory is told as such", async () => {
    const { error, result } = failure(
      await run("head -c 100000000 /dev/zero | tail", { memory: 16 }),
    );
    expect(error).toEqual({ class: "oom", message: "the container ran out of memory" });
    expect(result).toMatchObject({ oomKilled: true, exitCode: 137 });
  });
});

describe("what a container is given", () => {
  test("its environment, its limits, and no network", async () => {
    const given = context();
    const script = `
      echo "$GREETING|$EMPTY|"
      cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null
      cat /proc/net/dev | grep -c :
      grep NoNewPrivs /proc/self/status`;
    await run(script, { env: { GREETING: "a=b 'c' ü", EMPTY: "" }, memory: 64, cpus: 0.5 }, given);
    const lines = Buffer.concat(given.streams.stdout).toString().trim().split("\n");
    expect(lines).toEqual(["a=b 'c' ü||", "67108864", "1", "NoNewPrivs:\t1"]);
  });

  test("a network that is allowed", async () => {
    const given = context();
    const outcome = await run("hostname", { network: "host" }, given);
    expect([outcome.status, out(given).trim()]).toEqual(["completed", hostname()]);
    expect(failure(await run("true", { network: "bridge" })).error.class).toBe("refused_network");
  });

  test("an image that is not there, and cannot be pulled", async () => {
    const never = failure(await run("true", { image: "localhost/none:1", pull: "never" }));
    expect(never.error.class).toBe("image");
    expect(never.error.message).toMatch(/no such image/i);
    for (const pull of ["missing", "always"]) {
      const image = "127.0.0.1:1/none:1";
      const { error } = failure(await run("true", { image, pull }));
      expect(error.class).toBe("image");
      expect(error.message).toContain("127.0.0.1:1");
    }
  });

  test("a command that is not there: nothing of it stays", async () => {
    const { error } = failure(await run("", { cmd: ["/no/such/program"] }));
    expect(error.class).toBe("start");
    expect(error.message).toContain("/no/such/program");
  });
});

describe("its output", () => {
  test("arrives while it runs", async () => {
    const given = context();
    const running = run("echo first; sleep 2; echo second", {}, given);
    await wrote(given, "first");
    expect(await Promise.race([running, sleep(0, "still running")])).toBe("still running");
    expect(out(given)).toBe("first\n");
    await running;
    expect(out(given)).toBe("first\nsecond\n");
  });

  test("is whole: a line of 1 MiB, every byte there is, and many lines", async () => {
    const given = context();
    await run("head -c 1048576 /dev/zero | tr '\\0' x; echo; echo end", {}, given);
    expect(out(given) === `${"x".repeat(1_048_576)}\nend\n`).toBe(true);

    const binary = context();
    const all = Array.from({ length: 256 }, (_, i) => `\\${i.toString(8).padStart(3, "0")}`);
    await run(`printf '${all.join("")}'; printf '${all.join("")}' >&2`, {}, binary);
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString("latin1");
    expect(out(binary)).toBe(bytes);
    expect(out(binary, "stderr")).toBe(bytes);

    const many = context();
    await run("seq 1 500000; seq 1 1000 >&2", {}, many);
    const lines = Array.from({ length: 500_000 }, (_, i) => `${i + 1}\n`);
    expect(out(many) === lines.join("")).toBe(true);
    expect(out(many, "stderr") === lines.slice(0, 1000).join("")).toBe(true);
  });

  test("is there up to the kill", async () => {
    const given = context();
    const script = "trap 'echo told' TERM; i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done";
    const { error, result } = failure(await run(script, { timeout: 1 }, given));
    expect(error.class).toBe("timeout");
    expect(result.exitCode).toBe(137);
    const lines = out(given).trim().split("\n");
    expect(lines).toContain("told");
    const numbers = lines.filter((line) => line !== "told").map(Number);
    expect(numbers).toEqual(numbers.map((_, i) => i + 1));
    expect(numbers.length).toBeGreaterThan(20);
  });
});

describe("the timeout", () => {
  test("ends one that listens", async () => {
    const given = context();
    const script = "trap 'echo bye; exit 0' TERM; echo up; sleep 60 & wait";
    const began = performance.now();
    const { error, result } = failure(await run(script, { timeout: 0.5 }, given));
    expect(error).toEqual({
      class: "timeout",
      message: "the container ran longer than its timeout of 0.5 s",
    });
    expect(result.exitCode).toBe(0);
    expect(performance.now() - began).toBeLessThan(2500);
    expect(out(given)).toBe("up\nbye\n");
  });

  test("kills one that does not, two seconds later", async () => {
    const { error, result } = failure(await run("trap '' TERM; sleep 60", { timeout: 0.5 }));
    expect(error.class).toBe("timeout");
    expect(result.exitCode).toBe(137);
    const took = Date.parse(result.finishedAt) - Date.parse(result.startedAt);
    expect(took).toBeGreaterThan(2400);
    expect(took).toBeLessThan(6000);
  });

  test("asks by the signal that the spec names", async () => {
    const given = context();
    const script = "trap 'echo int; exit 7' INT; sleep 60 & wait";
    const { result } = failure(await run(script, { timeout: 0.5, stopSignal: "SIGINT" }, given));
    expect(out(given)).toBe("int\n");
    expect(result.exitCode).toBe(7);
  });
});

describe("a signal that is aborted", () => {
  test("stops the container, when the job is canceled", async () => {
    const controller = new AbortController();
    const given = context({ signal: controller.signal });
    const running = run("trap 'echo bye; exit 0' TERM; echo up; sleep 60 & wait", {}, given);
    await wrote(given, "up");
    controller.abort(new JobAborted("canceled"));
    expect(failure(await running).error.class).toBe("aborted");
    expect(out(given)).toBe("up\nbye\n");
  });

  test("before it starts: nothing is left", async () => {
    const given = context({ signal: AbortSignal.abort(new JobAborted("canceled")) });
    expect(failure(await run("true", {}, given)).error.class).toBe("aborted");
  });

  test.for(["shutdown", "lease_lost"] as const)(
    "leaves it alone on %s: the next attempt takes it up",
    async (why) => {
      const theJob = newJob();
      const what = spec("echo one; sleep 2; echo two; exit 3");
      const controller = new AbortController();
      const first = context({ signal: controller.signal });
      const running = target.run(what, theJob, first);
      await wrote(first, "one");
      controller.abort(new JobAborted(why));
      expect(failure(await running).error.class).toBe("aborted");

      const second = context();
      await using other = newTarget();
      const { error, result } = failure(await other.run(what, { ...theJob, attempt: 2 }, second));
      expect(error.message).toBe("the container exited with 3");
      expect(result.startedByAttempt).toBe(1);
      expect(out(second)).toBe("one\ntwo\n");
    },
  );
});

describe("a dispatcher that is killed", () => {
  /** Runs a spec in a process of its own, and kills that as soon as the container has started. */
  async function killedWhile(what: ContainerSpec, key: string): Promise<void> {
    const path = (file: string) => fileURLToPath(new URL(file, import.meta.url));
    const register = path("../../bench/harness/register.mjs");
    const child = spawn(
      process.execPath,
      [
        ...["--import", register, path("./dispatcher.ts")],
        ...[socketPath, JSON.stringify(what), key],
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    for await (const line of createInterface({ input: child.stdout })) {
      if (line === "the container has started") break;
    }
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    expect(child.signalCode).toBe("SIGKILL");
  }

  test("finds its container still running, and settles from its real end", async () => {
    const theJob = newJob(2);
    const what = spec("echo one; sleep 2; echo two");
    await killedWhile(what, theJob.key);
    const given = context();
    const outcome = await target.run(what, theJob, given);
    expect(outcome).toMatchObject({ status: "completed", result: { startedByAttempt: 1 } });
    expect(out(given)).toBe("one\ntwo\n");
  });

  test("finds its container ended, and settles from its exit code", async () => {
    const theJob = newJob(2);
    const what = spec("echo all; exit 4", { timeout: 1 });
    await killedWhile(what, theJob.key);
    await expect
      .poll(async () => (await engine.inspect(`carillon-${theJob.key}`))?.State.Running)
      .toBe(false);
    // Its time is over by now, but it had ended by itself.
    await sleep(1100);
    const given = context();
    const { error, result } = failure(await target.run(what, theJob, given));
    expect(error.message).toBe("the container exited with 4");
    expect(result.startedByAttempt).toBe(1);
    expect(out(given)).toBe("all\n");
  });

  test("finds its container over its time, and ends it", async () => {
    const theJob = newJob(2);
    const what = spec("sleep 60", { timeout: 1 });
    await killedWhile(what, theJob.key);
    await sleep(1500);
    const { error } = failure(await target.run(what, theJob, context()));
    expect(error.class).toBe("timeout");
  });
});

describe("an engine that is gone for a while", () => {
  /** The engine behind a socket that can be cut off, as a restart with live-restore cuts it. */
  async function doorTo(path: string) {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      const inner = connect(socketPath);
      for (const each of [socket, inner]) {
        sockets.add(each);
        each.on("error", () => undefined);
        each.on("close", () => [socket, inner].forEach((end) => end.destroy()));
      }
      socket.pipe(inner).pipe(socket);
    });
    const open = async () => {
      server.listen(path);
      await once(server, "listening");
    };
    const shut = async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    };
    await open();
    return { open, shut };
  }

  test.for([
    ["before its end", 1000],
    ["after its end", 3500],
  ] as const)("is back %s: the end and the output are the real ones", async ([, gone]) => {
    const path = `${tmpdir()}/carillon-door-${randomUUID()}.sock`;
    const door = await doorTo(path);
    await using far = new ContainerTarget({
      ...{ socketPath: path, images: new AllowedImages("crm=**"), networks: new Set<string>() },
    });
    const given = context();
    const script = "echo one; for i in 1 2 3 4; do sleep 0.5; echo $i; echo e$i >&2; done; exit 3";
    const running = far.run(spec(script), newJob(), given);
    await wrote(given, "one\n1\n");
    await door.shut();
    await sleep(gone);
    await door.open();
    const { error } = failure(await running);
    expect(error.message).toBe("the container exited with 3");
    expect(out(given)).toBe("one\n1\n2\n3\n4\n");
    expect(out(given, "stderr")).toBe("e1\ne2\ne3\ne4\n");
    await door.shut();
  });
});

test("several run at once, each with its own output", async () => {
  const given = Array.from({ length: 8 }, () => context());
  const outcomes = await Promise.all(given.map((each, i) => run(`echo ${i}; exit ${i}`, {}, each)));
  expect(outcomes.map(({ result }) => (result as ContainerRecord).exitCode)).toEqual(
    given.map((_, i) => i),
  );
  expect(given.map((each) => out(each).trim())).toEqual(given.map((_, i) => String(i)));
});

test("the sweep removes what nobody came back for, and nothing else", async () => {
  const controller = new AbortController();
  const given = context({ signal: controller.signal });
  const running = run("echo up; sleep 60", {}, given);
  await wrote(given, "up");
  controller.abort(new JobAborted("shutdown"));
  await running;
  expect(await target.sweep()).toBe(0);
  expect(await target.sweep(Date.now() + 3_600_000)).toBe(0);
  expect(await target.sweep(Date.now() + 3_600_000 + 61_000)).toBe(1);
});
