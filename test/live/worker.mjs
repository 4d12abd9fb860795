// A worker in a process of its own, from the built package; says what it did by the jobs' results.
import { serve } from "../../dist/index.js";

const worker = serve(
  {},
  {
    onJob: async (payload, caller, ctx) => ({ pid: process.pid, payload, slot: ctx.scheduledFor }),
  },
);
await worker.ready;
process.send("ready");
process.on("disconnect", () => void worker.stop());
