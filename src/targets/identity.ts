import { hash } from "node:crypto";

const sha256 = (text: string): string => hash("sha256", text, "hex");

/**
 * A job's key: the same for all of its attempts, and no other job's, in this database or another.
 *
 * @param system what tells databases apart: the cluster's system identifier and the database's name
 */
export const jobKey = (system: string, jobId: number): string =>
  `job_${jobId}_${sha256(`${system}\n${jobId}`).slice(0, 20)}`;

/**
 * The W3C trace context of an attempt: all attempts of a job are spans of one trace.
 *
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function traceparent(key: string, attempt: number): string {
  const digest = sha256(key);
  const span = digest.slice(32, 40) + attempt.toString(16).padStart(8, "0");
  return `00-${digest.slice(0, 32)}-${span}-01`;
}
