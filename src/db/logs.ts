import { run, type Queryable } from "./connect.js";

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
