import { run, type Queryable } from "./connect.js";
import type { JobStatus } from "./jobs.js";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Where a line comes from: the handler's log, what a program printed, or a report of progress. */
export const LOG_STREAMS = ["log", "stdout", "stderr", "progress"] as const;
export type LogStream = (typeof LOG_STREAMS)[number];

/** What of a line is not as it was logged. */
export interface Altered {
  /** Bytes cut off the end of the message. */
  cutBytes?: number;
  /** Characters that cannot be stored, each replaced by U+FFFD. */
  replaced?: number;
  /** Bytes of data left out, because it was too large. */
  dataBytes?: number;
}

/** A line of a job's log. */
export interface LogRow {
  /** Counts the lines of the job from 1, through all its attempts. */
  seq: number;
  attempt: number;
  at: Date;
  level: LogLevel;
  stream: LogStream;
  message: string;
  data: unknown;
  /** Of a line of the stream progress. */
  percent: number | null;
  altered: Altered | null;
}

/** Lines of one attempt to append, each as JSON text. */
export interface LogChunk {
  readonly jobId: number;
  readonly attempt: number;
  /** The number of the first line; undefined to go on from the last one stored. */
  readonly seq: number | undefined;
  readonly lines: readonly string[];
}

/** A chunk that was taken, and the number of the line to follow it. */
export interface TakenChunk {
  jobId: number;
  attempt: number;
  nextSeq: number;
}

/**
 * Appends lines; the chunks that were taken. One that is missing came too late: its job has begun
 * another attempt, or ended.
 *
 * @param sentAt now, by the clock that the lines' `at` is of
 * @param again whether the same chunks may be stored already
 */
export const appendLogs = (
  sql: Queryable,
  chunks: readonly LogChunk[],
  sentAt: number,
  again: boolean,
) => {
  // The lines are JSON already; as text, so that the driver does not encode it all once more.
  const text = `[${chunks.map(chunkText).join(",")}]`;
  return run(sql<TakenChunk[]>`
    select * from carillon.append_logs(
      chunks => ${text}::text::jsonb, sent_at => ${sentAt}, again => ${again})`);
};

const chunkText = ({ jobId, attempt, seq, lines }: LogChunk) =>
  `{"job_id":${jobId},"attempt":${attempt}${seq === undefined ? "" : `,"seq":${seq}`},"lines":[${lines.join(",")}]}`;

/** Which lines to list. */
export interface LogFilter {
  /** The cursor: lines after (or, descending, before) this one. */
  after?: number | undefined;
  limit: number;
  descending?: boolean;
  levels?: readonly LogLevel[] | undefined;
  streams?: readonly LogStream[] | undefined;
  /** Text that the message or the data holds, in upper or lower case. */
  q?: string | undefined;
  attempt?: number | undefined;
}

/** Lines of a job's log, and whether more follow: a page is bounded in bytes, too. */
export const listLogs = async (sql: Queryable, appId: string, jobId: number, filter: LogFilter) => {
  const rows = await run(sql<(LogRow & { more: boolean })[]>`
    select * from carillon.list_logs(
      job => ${jobId}, app => ${appId}, after => ${filter.after ?? null}, max_rows => ${filter.limit},
      descending => ${filter.descending ?? false}, levels => ${copy(filter.levels)},
      streams => ${copy(filter.streams)}, q => ${filter.q ?? null}, of_attempt => ${filter.attempt ?? null})`);
  return { rows, more: rows.at(-1)?.more ?? false };
};

const copy = (values: readonly string[] | undefined) => (values === undefined ? null : [...values]);

/** One who follows a job's log, up to which line. */
export interface Follower {
  readonly jobId: number;
  readonly after: number;
}

/** What is new to a follower. */
export interface Tail {
  /** null for a job that is gone. */
  status: JobStatus | null;
  attempt: number;
  lines: LogRow[];
  /** Whether there are more lines already. */
  more: boolean;
}

interface TailRow extends Omit<LogRow, "seq"> {
  n: number;
  status: JobStatus | null;
  jobAttempt: number | null;
  seq: number | null;
  more: boolean;
}

/** What is new to each of these followers, in one statement. */
export const tailLogs = async (
  sql: Queryable,
  followers: readonly Follower[],
  maxLines: number,
): Promise<Tail[]> => {
  const rows = await run(sql<TailRow[]>`
    select * from carillon.tail_logs(
      jobs => ${followers.map(({ jobId }) => jobId)}, after => ${followers.map(({ after }) => after)},
      max_rows => ${maxLines})`);
  const tails = followers.map((): Tail => ({ status: null, attempt: 0, lines: [], more: false }));
  for (const { n, status, jobAttempt, seq, more, ...line } of rows) {
    const tail = tails[n - 1];
    if (tail === undefined) continue;
    Object.assign(tail, { status, attempt: jobAttempt ?? 0, more });
    if (seq !== null) tail.lines.push({ seq, ...line });
  }
  return tails;
};

/** How far a job is, by the last report of its handler. */
export interface ProgressRow {
  jobId: number;
  attempt: number;
  percent: number;
  note: string | null;
  at: Date;
}

/** How far jobs are; nothing for those that have reported nothing. */
export const jobProgress = (
  sql: Queryable,
  jobs: readonly { jobId: number; enqueuedAt: Date; finishedAt: Date | null }[],
) =>
  run(sql<ProgressRow[]>`
    select * from carillon.job_progress(
      jobs => ${jobs.map(({ jobId }) => jobId)},
      from_at => ${jobs.map(({ enqueuedAt }) => enqueuedAt.toISOString())},
      to_at => ${jobs.map(({ finishedAt }) => finishedAt?.toISOString() ?? null)})`);
