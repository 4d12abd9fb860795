import type { z } from "zod";
import type { Queryable } from "../db/connect.js";
import type { JobRow } from "../db/jobs.js";
import { jobProgress } from "../db/logs.js";
import { type Job, toJob } from "./shapes/job.js";
import { toProgress } from "./shapes/progress.js";

/** Jobs as answers show them, with how far they are. */
export async function showJobs(
  sql: Queryable,
  rows: readonly JobRow[],
): Promise<z.input<typeof Job>[]> {
  // One that was never begun has reported nothing.
  const begun = rows.filter(({ attempt }) => attempt > 0);
  const reports = begun.length === 0 ? [] : await jobProgress(sql, begun);
  const known = new Map(reports.map((report) => [report.jobId, toProgress(report)]));
  return rows.map((row) => ({ ...toJob(row), progress: known.get(row.jobId) ?? null }));
}

export async function showJob(sql: Queryable, row: JobRow): Promise<z.input<typeof Job>> {
  const [shown] = await showJobs(sql, [row]);
  return shown ?? toJob(row);
}
