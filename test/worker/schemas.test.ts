import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import type { SchemaIssue, StandardSchema } from "../../src/index.js";
import { serve } from "../../src/index.js";
import { type Bench, createBench, memoryLogger } from "./helpers.js";

let bench: Bench;
beforeAll(async () => {
  bench = await createBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

/** A schema by hand, that takes its time: what the standard allows beside what Zod does. */
function slowSchema(issues?: SchemaIssue[]): StandardSchema<unknown, { taken: number }> {
  const result = issues === undefined ? { value: { taken: 1 } } : { issues };
  return { "~standard": { version: 1, vendor: "test", validate: () => Promise.resolve(result) } };
}

test("a handler with a schema is given what the schema makes of the payload", async () => {
  await using _worker = await bench.work({
    onJob: {
      remind: {
        schema: z.object({ at: z.coerce.date(), note: z.string().default("none") }),
        run: (payload, _caller, ctx) => ({
          ...payload,
          date: payload.at instanceof Date,
          ctx: ctx.jobId,
        }),
      },
      later: { schema: slowSchema(), run: (payload) => payload },
      plain: (payload) => payload.a,
    },
  });
  const remind = await bench.enqueue({ method: "remind", at: "2026-05-08T10:30:00Z" });
  const later = await bench.enqueue({ method: "later" });
  const plain = await bench.enqueue({ method: "plain", a: 1 });
  expect((await bench.ended(remind)).result).toEqual({
    ...{ at: "2026-05-08T10:30:00.000Z", note: "none", date: true, ctx: remind },
  });
  expect((await bench.ended(later)).result).toEqual({ taken: 1 });
  expect((await bench.ended(plain)).result).toBe(1);
});

test("a payload that does not pass fails its job at once, whatever attempts are left", async () => {
  let runs = 0;
  const run = () => (runs += 1);
  await using _worker = await bench.work({
    onJob: {
      order: {
        schema: z.object({ id: z.string(), lines: z.array(z.object({ n: z.int() })) }),
        run,
      },
      later: { schema: slowSchema([{ message: "not today" }]), run },
      keyed: { schema: slowSchema([{ message: "no", path: [{ key: "a" }, 0, "b"] }]), run },
    },
  });
  const enqueue = async (payload: object) => {
    const [row] = await bench.sql<{ id: number }[]>`
      select carillon.enqueue_job(app => ${bench.app}, payload => ${bench.sql.json(payload as never)},
        max_attempts => 5) as id`;
    return bench.ended(row!.id);
  };
  const wrong = await enqueue({ method: "order", lines: [{ n: 1 }, { n: 1.5 }] });
  expect(wrong).toMatchObject({ status: "failed", attempt: 1, error: { name: "InvalidPayload" } });
  expect(wrong.error?.message).toMatch(
    /^the payload of "order" is not valid: id: .*; lines\[1\]\.n: /,
  );
  expect((await enqueue({ method: "later" })).error?.message).toBe(
    'the payload of "later" is not valid: the payload: not today',
  );
  expect((await enqueue({ method: "keyed" })).error?.message).toContain("a[0].b: no");
  expect(runs).toBe(0);
});

test("what is neither a function nor a schema with one is refused at the start", () => {
  const fine = { app: "crm", databaseUrl: "postgres://nobody@127.0.0.1:1/none", signals: false };
  const { logger } = memoryLogger();
  const start = (entry: unknown) => () =>
    serve({ ...fine, logger }, { onJob: { a: entry as never } });
  expect(start({ schema: z.string() })).toThrow(/onJob\.a is not a function, nor/);
  expect(start(null)).toThrow(/onJob\.a is not a function/);
  expect(start({ schema: {}, run: () => 1 })).toThrow(/onJob\.a\.schema does not follow/);
});
