import { describe, expect, test } from "vitest";
import { z } from "zod";
import { readTargetsConfig } from "../../src/targets/config.js";
import { TargetSpec } from "../../src/targets/schema.js";
import { Targets } from "../../src/targets/targets.js";
import { FaktoryDouble } from "./faktory/double.js";
import { Endpoint } from "./http/endpoint.js";
import { context, job } from "./support.js";

describe("the spec of a target", () => {
  test("is told apart by its type", () => {
    const specs = [
      { type: "http", url: "https://example.com/" },
      { type: "agent", url: "https://example.com/agent" },
      { type: "faktory", jobType: "smoke_job" },
      { type: "container", image: "busybox" },
    ];
    for (const spec of specs) expect(TargetSpec.parse(spec)).toEqual(spec);
  });

  test.for([{ type: "smtp" }, {}, null, "http", { type: "http", image: "busybox" }])(
    "is not %j",
    (spec) => {
      expect(TargetSpec.safeParse(spec).success).toBe(false);
    },
  );

  test("has a JSON schema, with what every field is", () => {
    const schema = z.toJSONSchema(TargetSpec, { io: "input" });
    const kinds = (schema.oneOf ?? schema.anyOf) as { properties: Record<string, object> }[];
    expect(kinds.map(({ properties }) => Object.keys(properties)[0])).toEqual(
      kinds.map(() => "type"),
    );
    for (const { properties } of kinds) {
      for (const [name, property] of Object.entries(properties)) {
        if (name !== "type") expect(property, name).toHaveProperty("description");
      }
    }
  });
});

describe("all targets of a dispatcher", () => {
  test("are run by type, as the environment allows", async () => {
    await using endpoint = await Endpoint.start();
    await using faktory = await FaktoryDouble.start();
    const config = readTargetsConfig({
      CARILLON_HTTP_ALLOW: `127.0.0.1:${endpoint.port}`,
      CARILLON_FAKTORY_DEFAULT_URL: `127.0.0.1:${faktory.port}`,
    });
    await using targets = new Targets(config, "1.0.0");
    const run = (spec: TargetSpec) => targets.run(spec, job(), context());
    expect((await run({ type: "http", url: endpoint.url })).status).toBe("completed");
    expect(endpoint.received[0]?.headers["user-agent"]).toBe("carillon/1.0.0");
    expect((await run({ type: "agent", url: endpoint.url })).status).toBe("completed");
    expect(JSON.parse(endpoint.received[1]?.body ?? "")).toEqual({
      ...job().invocation,
      scheduledFor: "2026-05-08T10:30:00.000Z",
      ...{ jobId: 42, attempt: 1, caller: job().caller },
    });
    expect((await run({ type: "faktory", jobType: "t" })).status).toBe("completed");
    expect(faktory.pushed).toHaveLength(1);
    expect(await run({ type: "container", image: "busybox" })).toMatchObject({
      status: "failed",
      error: { class: "off" },
      retryable: false,
    });
  });

  test("break by what they share", async () => {
    const env = { CARILLON_CONTAINER_SOCKET: "/nowhere.sock" };
    await using targets = new Targets(readTargetsConfig(env), "0");
    const key = (spec: TargetSpec) => targets.breakerKey(spec);
    const http = (url: string) => key({ type: "http", url });
    expect(http("https://example.com/a")).toBe(http("https://EXAMPLE.com:443/b"));
    expect(http("https://example.com/a")).not.toBe(http("http://example.com/a"));
    expect(key({ type: "agent", url: "https://example.com/b" })).toBe(http("https://example.com"));
    expect(key({ type: "faktory", jobType: "a", instance: "EU-west" })).toBe(
      key({ type: "faktory", jobType: "b", instance: "eu_west" }),
    );
    expect(key({ type: "container", image: "a" })).not.toBe(key({ type: "container", image: "b" }));
  });

  test.for([
    { CARILLON_HTTP_ALLOW: "everything" },
    { CARILLON_BREAKER_FAILURES: "-1" },
    { CARILLON_BREAKER_FAILURES: "many" },
    { CARILLON_BREAKER_COOL_DOWN: "0" },
  ])("do not begin with a configuration that is wrong: %j", (env) => {
    const [variable = ""] = Object.keys(env);
    expect(() => readTargetsConfig(env)).toThrow(
      expect.objectContaining({
        code: "invalid_config",
        message: expect.stringContaining(variable) as string,
      }),
    );
  });

  test("have circuit breakers where the operator says so", () => {
    expect(readTargetsConfig({}).breaker).toEqual({ failures: 0, coolDown: 60 });
    const env = { CARILLON_BREAKER_FAILURES: "5", CARILLON_BREAKER_COOL_DOWN: "30" };
    expect(readTargetsConfig(env).breaker).toEqual({ failures: 5, coolDown: 30 });
  });
});
