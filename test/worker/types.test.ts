import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import type { Hooks, JobHandler, JsonObject } from "../../src/index.js";
import { serve } from "../../src/index.js";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

test("a program that declares its jobs is typed by them", async () => {
  const tsc = here("../../node_modules/typescript/bin/tsc");
  const run = promisify(execFile)(process.execPath, [tsc, "-p", here("./typed/tsconfig.json")]);
  // tsc prints what is wrong, an unused @ts-expect-error included.
  expect(await run.catch((error: { stdout: string }) => error.stdout)).toMatchObject({
    stdout: "",
  });
});

test("without declarations any method will do, and a schema types its own handler", () => {
  const never = () =>
    serve(
      {},
      {
        onJob: {
          plain: (payload, _caller, ctx) => {
            expectTypeOf(payload).toEqualTypeOf<JsonObject>();
            expectTypeOf(ctx.jobId).toEqualTypeOf<number>();
          },
          own: (payload: { name: string }) => payload.name,
          checked: {
            schema: z.object({ at: z.coerce.date(), n: z.string().transform(Number) }),
            run: (payload, _caller, ctx) => {
              expectTypeOf(payload).toEqualTypeOf<{ at: Date; n: number }>();
              expectTypeOf(ctx.appId).toEqualTypeOf<string>();
              return payload.at;
            },
          },
        },
      },
    )
      .on("job:fail", ({ job, error }) => {
        expectTypeOf(job.jobId).toEqualTypeOf<number>();
        expectTypeOf(error.name).toEqualTypeOf<string>();
      })
      // @ts-expect-error no such event
      .on("job:nothing", () => undefined);
  expect(never).toBeTypeOf("function");
  expectTypeOf<Hooks["onJob"]>().extract<JobHandler>().parameter(0).toEqualTypeOf<JsonObject>();
});
