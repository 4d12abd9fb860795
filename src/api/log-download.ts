import type { Queryable } from "../db/connect.js";
import { listLogs, type LogFilter, type LogRow } from "../db/logs.js";
import { toLogLine } from "./shapes/log.js";

/** The formats of a downloaded log, with their content types. */
export const FORMATS = {
  txt: "text/plain; charset=utf-8",
  json: "application/json",
  jsonl: "application/x-ndjson",
} as const;

export type Format = keyof typeof FORMATS;

const PAGE = 1000;

/** The text of a log, in pieces: read as fast as they are taken, a page at a time. */
export async function* downloadLog(
  sql: Queryable,
  appId: string,
  jobId: number,
  format: Format,
  filter: Omit<LogFilter, "limit" | "after" | "descending">,
): AsyncGenerator<string> {
  const write = { txt: asText, json: asJson, jsonl: asJson }[format];
  const between = format === "json" ? ",\n" : "\n";
  let after = 0;
  let first = true;
  if (format === "json") yield "[";
  for (let more = true; more;) {
    const page = await listLogs(sql, appId, jobId, { ...filter, after, limit: PAGE });
    ({ more } = page);
    after = page.rows.at(-1)?.seq ?? after;
    if (page.rows.length === 0) break;
    yield (first ? "" : between) + page.rows.map(write).join(between);
    first = false;
  }
  if (format === "json") yield "]\n";
  else if (!first) yield "\n";
}

const asJson = (row: LogRow) => JSON.stringify(toLogLine(row));

/** Such as `2026-05-08T10:30:00.000Z #1 WARN  disk is full {"free":0}`. */
function asText({ at, attempt, level, stream, message, data, percent, altered }: LogRow): string {
  const kind = stream === "log" ? level : stream;
  const what = percent === null ? message : `${percent} % ${message}`.trimEnd();
  const more = data === null ? "" : ` ${JSON.stringify(data)}`;
  const note = altered === null ? "" : ` [altered: ${JSON.stringify(altered)}]`;
  return `${at.toISOString()} #${attempt} ${kind.toUpperCase().padEnd(5)} ${what}${more}${note}`;
}
