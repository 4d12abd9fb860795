/**
 * For the tests of an app: runs a job without a database, or a cron's next slot with one.
 *
 * @example
 * import { runJob, runNextSlot } from "carillon/testing";
 *
 * const { result, enqueued } = await runJob({ onJob }, { method: "remind", userId: "u1" });
 *
 * @module
 */
export {
  type EnqueuedJob,
  type JobRun,
  type LoggedLine,
  runJob,
  type RunJobOptions,
} from "./run-job.js";
export { runNextSlot, type RunNextSlotOptions, type SlotRun } from "./run-next-slot.js";
