// A worker process for the chaos test. It writes down the start and the end of each attempt in a
// file of its own, which no cut connection and no crash of the database can take back.
import { openSync, writeSync } from "node:fs";
import { discard, retryAfter, serve } from "../../dist/index.js";

const notes = openSync(process.env.NOTES_FILE, "a");
const note = (what, ctx) =>
  writeSync(
    notes,
    `${JSON.stringify({ what, job: ctx.jobId, attempt: ctx.attempt, at: Date.now() })}\n`,
  );
process.on("unhandledRejection", (reason) => {
  console.error("UNHANDLED", reason);
  process.exit(99);
});

const wait = (ms, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });

await serve(JSON.parse(process.env.WORKER_OPTIONS), {
  onJob: async (payload, _caller, ctx) => {
    note("start", ctx);
    try {
      await wait(payload.ms ?? 5, ctx.signal);
      if (payload.act === "fail") throw new Error("as asked");
      if (payload.act === "retry" && ctx.attempt === 1) throw retryAfter(50);
      if (payload.act === "discard") throw discard("as asked");
      return { attempt: ctx.attempt };
    } finally {
      note("end", ctx);
    }
  },
}).ready;
console.log("ready");
