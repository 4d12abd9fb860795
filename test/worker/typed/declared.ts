/*
 * A program that has declared its jobs, checked by tsc against the built package: every line marked
 * as an error must be one. It is never run.
 */
import { type JobContext, serve } from "carillon";
import { z } from "zod";

interface Reminder {
  userId: string;
}

declare module "carillon" {
  interface Jobs {
    remind: { payload: Reminder; result: { sent: boolean } };
    count: { payload: { upTo: number }; result: number };
  }
}

export const worker = serve(
  { app: "crm" },
  {
    onJob: {
      remind: async (payload, _caller, ctx) => {
        const user: string = payload.userId;
        const method: "remind" = payload.method;
        // @ts-expect-error no such field
        void payload.upTo;
        await enqueues(ctx);
        return { sent: user !== method };
      },
      count: {
        schema: z.object({ upTo: z.coerce.number(), from: z.iso.datetime().optional() }),
        run: ({ upTo, from }) => (from === undefined ? upTo.valueOf() : from.length),
      },
    },
    // @ts-expect-error a declared job's payload
    onStart: (ctx) => ctx.enqueue({ method: "count", upTo: "7" }),
  },
);

async function enqueues(ctx: JobContext): Promise<void> {
  await ctx.enqueue({ method: "count", upTo: 7 }, { priority: 1 });
  await ctx.enqueue({ method: "remind", userId: "u1" });
  // @ts-expect-error a field is missing
  await ctx.enqueue({ method: "remind" });
  // @ts-expect-error no such method
  await ctx.enqueue({ method: "forget", userId: "u1" });
}

// @ts-expect-error not the declared result
serve({}, { onJob: { remind: () => ({ sent: "yes" }) } });
// @ts-expect-error not the declared result, by a promise
serve({}, { onJob: { count: async () => Promise.resolve("7") } });
// @ts-expect-error no such method
serve({}, { onJob: { forget: () => null } });

serve(
  {},
  {
    onJob: (job) => {
      switch (job.method) {
        case "remind":
          return job.userId.length;
        case "count":
          return job.upTo.toFixed();
      }
    },
  },
);
