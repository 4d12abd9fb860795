// A worker process as an app would have it, for tests that stop, kill or race real processes. It
// notes every start of a handler in the table `starts`, which the test has made.
import { connect, serve } from "../../dist/index.js";

const notes = connect(process.env.DATABASE_URL, { max: 2, name: "notes" });
process.on("unhandledRejection", (reason) => {
  console.error("UNHANDLED", reason);
  process.exit(99);
});

const worker = serve(JSON.parse(process.env.WORKER_OPTIONS ?? "{}"), {
  onJob: async (payload, _caller, ctx) => {
    await notes`
      insert into public.starts (job_id, attempt, pid) values (${ctx.jobId}, ${ctx.attempt}, ${process.pid})`;
    if (payload.lines) {
      for (let n = 1; n <= payload.lines; n += 1) ctx.log.info(`line ${n}`);
      await ctx.log.flush();
      ctx.log.info("not flushed");
    }
    if (payload.hang) await new Promise(() => undefined);
    if (payload.ms) await new Promise((resolve) => setTimeout(resolve, payload.ms));
    return { pid: process.pid };
  },
  onShutdown: async () => {
    console.log("shut down");
    await notes.end();
  },
});
await worker.ready;
console.log("ready");
