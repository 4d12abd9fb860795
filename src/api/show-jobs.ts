import type { z } from "zod";
import type { Queryable } from "../db/connect.js";
import type { JobRow, JobStatus } from "../db/jobs.js";
import { jobProgress } from "../db/logs.js";
import type { Principal } from "../db/principals.js";
import { fillPermission, hasPermission } from "./permissions.js";
import { type Job, type JobVerb, toJob } from "./shapes/job.js";
import { toProgress } from "./shapes/progress.js";

/** What a holder of job.write may do with a job of each status. */
const VERBS: Record<JobStatus, JobVerb[]> = {
  pending: ["cancel", "update"],
  queued: ["cancel", "update"],
  running: ["cancel"],
  completed: ["retry"],
  failed: ["retry"],
  canceled: ["retry"],
};

/** Jobs as answers show them, with how far they are and what the caller may do with them. */
export async function showJobs(
  sql: Queryable,
  rows: readonly JobRow[],
  principal: Principal,
): Promise<z.input<typeof Job>[]> {
  // One that was never begun has reported nothing.
  const begun = rows.filter(({ attempt }) => attempt > 0);
  const reports = begun.length === 0 ? [] : await jobProgress(sql, begun);
  const known = new Map(reports.map((report) => [report.jobId, toProgress(report)]));
  return rows.map((row) => {
    const write = fillPermission("app:{appId}:job.write", { appId: row.appId });
    const can = hasPermission(principal.permissions, write) ? VERBS[row.status] : [];
    return { ...toJob(row, can), progress: known.get(row.jobId) ?? null };
  });
}

export async function showJob(
  sql: Queryable,
  row: JobRow,
  principal: Principal,
): Promise<z.input<typeof Job>> {
  const [shown] = await showJobs(sql, [row], principal);
  return shown ?? toJob(row, []);
}
