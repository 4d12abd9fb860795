import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readContainerConfig } from "../../../src/targets/container/config.js";
import { creation } from "../../../src/targets/container/create.js";
import { FrameDecoder } from "../../../src/targets/container/frames.js";
import { AllowedImages, parseImage } from "../../../src/targets/container/images.js";
import { ContainerSpec } from "../../../src/targets/container/schema.js";
import { ContainerTarget } from "../../../src/targets/container/target.js";
import { context, job } from "../support.js";

const DIGEST = `sha256:${"ab".repeat(32)}`;

/** A frame as the engine writes it. */
function frame(stream: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

function decode(chunks: readonly Buffer[]) {
  const decoder = new FrameDecoder();
  const found = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  for (const chunk of chunks) {
    for (const { stream, bytes } of decoder.push(chunk)) found[stream].push(bytes);
  }
  return { stdout: Buffer.concat(found.stdout), stderr: Buffer.concat(found.stderr) };
}

describe("a container's output", () => {
  test("is taken apart without loss, wherever the chunks are cut", () => {
    const frames = fc.array(fc.tuple(fc.constantFrom(1, 2), fc.uint8Array({ maxLength: 40 })));
    const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 });
    fc.assert(
      fc.property(frames, cuts, (written, sizes) => {
        const bytes = Buffer.concat(written.map(([stream, payload]) => frame(stream, payload)));
        const chunks: Buffer[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = sizes[i % sizes.length] ?? 1;
          chunks.push(bytes.subarray(at, at + size));
          at += size;
        }
        const of = (wanted: number) =>
          Buffer.concat(written.filter(([stream]) => stream === wanted).map(([, p]) => p));
        expect(decode(chunks)).toEqual({ stdout: of(1), stderr: of(2) });
      }),
    );
  });

  test("is passed on before its frame is whole", () => {
    const decoder = new FrameDecoder();
    const whole = frame(1, Buffer.alloc(1_000_000, "x"));
    const [piece] = [...decoder.push(whole.subarray(0, 100))];
    expect(piece?.bytes).toHaveLength(92);
  });

  test.for([
    ["another protocol", Buffer.from("HTTP/1.1 200 OK")],
    ["a stream that does not exist", frame(4, Buffer.from("x"))],
  ])("is not %s", ([, bytes]) => {
    expect(() => decode([bytes as Buffer])).toThrow("no container's output");
  });
});

describe("an image's name", () => {
  test.for([
    ["busybox", "docker.io/library/busybox", "latest", undefined],
    ["crm/report:2.1", "docker.io/crm/report", "2.1", undefined],
    ["localhost/bb:test", "localhost/bb", "test", undefined],
    ["localhost:5000/a/b", "localhost:5000/a/b", "latest", undefined],
    ["ghcr.io/o/i@" + DIGEST, "ghcr.io/o/i", "latest", DIGEST],
    ["r.example:443/i:v1@" + DIGEST, "r.example:443/i", "v1", DIGEST],
  ])("%s is read in full", ([text, name, tag, digest]) => {
    expect(parseImage(text ?? "")).toEqual({ name, tag, digest });
  });

  test.for([
    "",
    "UPPER/Case",
    "a b",
    "a:b:c",
    "a@sha256:12",
    "-x",
    "a//b",
    "../x",
    "a:tag/",
    "x".repeat(256),
  ])("%s is none", (text) => {
    expect(parseImage(text)).toBeUndefined();
  });
});

describe("CARILLON_CONTAINER_IMAGES", () => {
  const allows = (text: string, app: string, image: string) => {
    const parsed = parseImage(image);
    if (parsed === undefined) throw new Error(`no image: ${image}`);
    return new AllowedImages(text).allows(app, parsed);
  };

  test.for([
    ["crm=busybox", "crm", "busybox:1.36", true],
    ["crm=busybox", "crm", "docker.io/library/busybox", true],
    ["crm=busybox", "crm", `busybox@${DIGEST}`, true],
    ["crm=busybox", "billing", "busybox", false],
    ["*=busybox", "billing", "busybox", true],
    ["crm=busybox", "crm", "busybox.evil.example/x", false],
    ["crm=busybox", "crm", "evil/busybox", false],
    ["crm=busybox:1.*", "crm", "busybox:1.36", true],
    ["crm=busybox:1.*", "crm", "busybox", false],
    ["crm=busybox:1.36", "crm", `busybox:1.36@${DIGEST}`, false],
    ["crm=r.example/crm/*", "crm", "r.example/crm/report:2", true],
    ["crm=r.example/crm/*", "crm", "r.example/crm/deep/report", false],
    ["crm=r.example/crm/**", "crm", "r.example/crm/deep/report", true],
    ["crm=r.example/crm/*", "crm", "r.example.evil/crm/report", false],
    ["crm=rXexample/crm", "crm", "r.example/crm", false],
    ["crm=*", "crm", "anything", true],
    ["crm=*", "crm", "evil/anything", false],
    ["crm=**", "crm", "evil.example/any/thing", true],
    ["crm=localhost:5000/a:v1, billing=b", "crm", "localhost:5000/a:v1", true],
    ["", "crm", "busybox", false],
  ] as const)("%j for %s and %s: %s", ([text, app, image, verdict]) => {
    expect(allows(text, app, image)).toBe(verdict);
  });

  test.for(["busybox", "=busybox", "crm=", "CRM=x", "crm=a b"])("does not take %s", (text) => {
    expect(() => new AllowedImages(text)).toThrow(
      expect.objectContaining({ code: "invalid_config" }),
    );
  });
});

describe("the configuration", () => {
  test("is off without a socket", () => {
    expect(readContainerConfig({ CARILLON_CONTAINER_IMAGES: "*=**" })).toBeUndefined();
  });

  test("has a socket, images and networks", () => {
    const config = readContainerConfig({
      CARILLON_CONTAINER_SOCKET: "unix:///var/run/docker.sock",
      CARILLON_CONTAINER_NETWORKS: "jobs, bridge",
    });
    expect(config?.socketPath).toBe("/var/run/docker.sock");
    expect([...(config?.networks ?? [])]).toEqual(["jobs", "bridge"]);
    expect(() => readContainerConfig({ CARILLON_CONTAINER_SOCKET: "tcp://docker:2375" })).toThrow(
      /CARILLON_CONTAINER_SOCKET/,
    );
  });
});

describe("the spec", () => {
  test.for([
    [{}, true],
    [{ cmd: ["sh", "-c", "true"], env: { A: "1", _b: "" }, network: "jobs" }, true],
    [{ memory: 6, cpus: 0.01, timeout: 3600, pull: "never", stopSignal: "SIGINT" }, true],
    [{ cmd: null, env: null, memory: null, timeout: null, stopSignal: null }, true],
    [{ cmd: "sh" }, false],
    [{ cmd: [1] }, false],
    [{ cmd: ["a\0b"] }, false],
    [{ env: { "A=B": "1" } }, false],
    [{ env: { A: 1 } }, false],
    [{ memory: 5 }, false],
    [{ timeout: 0 }, false],
    [{ timeout: -1 }, false],
    [{ timeout: 3601 }, false],
    [{ pull: "sometimes" }, false],
    [{ stopSignal: "9" }, false],
    [{ image: "Not An Image" }, false],
    [{ privileged: true }, false],
    [{ volumes: ["/:/host"] }, false],
  ])("%j", ([more, valid]) => {
    const spec = { type: "container", image: "busybox", ...(more as object) };
    expect(ContainerSpec.safeParse(spec).success).toBe(valid);
  });

  test("makes a container without network, with limits, and with labels to find it by", () => {
    const image = parseImage("busybox");
    if (image === undefined) throw new Error("no image");
    const made = creation({ type: "container", image: "busybox" }, image, job({ attempt: 2 }));
    expect(made).toMatchObject({
      Image: "docker.io/library/busybox:latest",
      Labels: {
        "carillon.key": job().key,
        "carillon.app": "crm",
        "carillon.job": "42",
        "carillon.attempt": "2",
        "carillon.timeout": "30",
      },
      HostConfig: {
        NetworkMode: "none",
        Memory: 268_435_456,
        MemorySwap: 268_435_456,
        NanoCpus: 1_000_000_000,
        SecurityOpt: ["no-new-privileges"],
      },
    });
    expect(made).not.toHaveProperty("Cmd");
  });
});

describe("what does not reach the engine", () => {
  const target = (images: string) =>
    new ContainerTarget({
      socketPath: "/nowhere/docker.sock",
      images: new AllowedImages(images),
      networks: new Set(["jobs"]),
    });
  const run = (images: string, more: object) =>
    target(images).run(
      ContainerSpec.parse({ type: "container", image: "busybox", ...more }),
      job(),
      context(),
    );

  test("an image, or a network, that the app may not use fails for good", async () => {
    expect(await run("billing=**", {})).toMatchObject({
      error: { class: "refused_image" },
      retryable: false,
    });
    expect(await run("crm=busybox", { network: "host" })).toMatchObject({
      error: { class: "refused_network" },
      retryable: false,
    });
  });

  test("an engine that is not there fails the attempt", async () => {
    expect(await run("crm=busybox", { network: "jobs" })).toMatchObject({
      error: {
        class: "engine",
        message: "the container engine does not answer (ENOENT)",
      },
      retryable: true,
    });
  });
});
