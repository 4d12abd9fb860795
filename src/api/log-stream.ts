import type { Queryable } from "../db/connect.js";
import type { LogRow, Tail } from "../db/logs.js";
import { LogTail, stateOf } from "./log-tail.js";
import { type EndEvent, type LogLine, type StatusEvent, toLogLine } from "./shapes/log.js";
import { type Progress, toProgress } from "./shapes/progress.js";
import type { EventOf } from "./streaming.js";

type LogEvent = EventOf<{
  log: typeof LogLine;
  progress: typeof Progress;
  status: typeof StatusEvent;
  end: typeof EndEvent;
}>;

const ENDED = new Set<Tail["status"]>(["completed", "failed", "canceled", null]);

/**
 * A job's log after a line, as it comes: `log` and `progress` have the line's number as their id,
 * `status` says how the job is at first and whenever that changes, and `end` that nothing follows.
 */
export async function* followLog(
  sql: Queryable,
  jobId: number,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<LogEvent> {
  let seq = after;
  let state = "";
  let more = false;
  for (;;) {
    const tail = await LogTail.of(sql).next({ jobId, after: seq }, state, more, signal);
    if (tail === undefined) return;
    const { status, attempt, lines } = tail;
    ({ more } = tail);
    const ended = ENDED.has(status);
    const changed = stateOf(tail) !== state && !(ended && more);
    const news: LogEvent[] =
      changed && status !== null ? [{ event: "status", data: { status, attempt } }] : [];
    // Its last lines were written before a job ended.
    if (!ended) yield* news;
    for (const line of lines) {
      seq = line.seq;
      yield toEvent(line);
    }
    if (changed) state = stateOf(tail);
    if (!ended || more) continue;
    yield* news;
    yield { event: "end", data: { status, seq } };
    return;
  }
}

function toEvent(row: LogRow): LogEvent {
  if (row.percent === null) return { event: "log", id: row.seq, data: toLogLine(row) };
  const { percent, message } = row;
  const note = message === "" ? null : message;
  return { event: "progress", id: row.seq, data: toProgress({ ...row, percent, note }) };
}
