import { expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { ROUTES } from "../../src/api/routes/index.js";
import { createClient, type Cron, type Download, type Tick } from "../../src/client/index.js";
import { OPERATIONS, type Operation } from "../../src/client/operations.js";

const operations = Object.values(OPERATIONS).flatMap((group) => Object.values<Operation>(group));

test("every route of the table has exactly one method, and no method another route", () => {
  const routes = ROUTES.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
  expect(operations.map(({ route }) => route).sort()).toEqual([...routes].sort());
});

test("what a method takes and gives is what its route does", () => {
  for (const { route: key, takes, gives } of operations) {
    const route = ROUTES.find(({ method, path }) => key === `${method.toUpperCase()} ${path}`);
    if (route === undefined) throw new Error(key);
    const json = z.toJSONSchema(route.query, { io: "input" }).properties ?? {};
    const hasQuery = Object.keys(json).length > 0;
    // A method has one place for its input.
    expect(hasQuery && route.body !== undefined, key).toBe(false);
    expect(takes, key).toBe(hasQuery ? "query" : route.body ? "body" : "nothing");
    const [shape] = Object.values(route.responses);
    if (shape === undefined) throw new Error(key);
    if ("kind" in shape) expect(gives, key).toBe(shape.kind);
    else expect(gives, key).toBe("cursor" in json ? "pages" : "json");
  }
});

test("methods are typed by the route's schemas", () => {
  const client = createClient({ url: "http://localhost:1" });
  expectTypeOf(client.crons.list).parameter(0).toBeString();
  expectTypeOf(client.crons.list).returns.resolves.toEqualTypeOf<Cron[]>();
  expectTypeOf<Cron["overlapPolicy"]>().toEqualTypeOf<"skip" | "queue" | "buffer" | "replace">();
  expectTypeOf(client.jobs.get).parameter(1).toEqualTypeOf<string | number>();
  expectTypeOf(client.crons.ticks).returns.resolves.toHaveProperty("items").toEqualTypeOf<Tick[]>();
  type EachOf<T> = T extends AsyncIterable<infer I> ? I : never;
  expectTypeOf<EachOf<ReturnType<typeof client.crons.ticks>>>().toEqualTypeOf<Tick>();
  expectTypeOf<EachOf<ReturnType<typeof client.jobs.followLog>>["event"]>().toEqualTypeOf<
    "log" | "progress" | "status" | "end"
  >();
  expectTypeOf(client.jobs.downloadLog).returns.resolves.toEqualTypeOf<Download>();
  // Numbers, lists and booleans may be given as such.
  expectTypeOf({ limit: 5, outcome: ["enqueued" as const] }).toExtend<
    NonNullable<Parameters<typeof client.crons.ticks>[2]>
  >();
  expectTypeOf({ all: true }).toExtend<NonNullable<Parameters<typeof client.keys.list>[0]>>();
  // @ts-expect-error a cron needs a schedule
  void (() => client.crons.create("crm", { name: "x" }));
  // @ts-expect-error no such field
  void (() => client.crons.create("crm", { name: "x", schedule: "* * * * *", nme: 1 }));
  // @ts-expect-error the schedule is missing
  void (() => client.schedules.preview());
});
