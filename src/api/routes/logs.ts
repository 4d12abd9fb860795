import { z } from "zod";
import { getJob } from "../../db/jobs.js";
import { listLogs, LOG_LEVELS, LOG_STREAMS } from "../../db/logs.js";
import { downloadLog, FORMATS, type Format } from "../log-download.js";
import { followLog } from "../log-stream.js";
import { defineRoute, reply } from "../route.js";
import { EndEvent, LogLine, StatusEvent, toLogLine } from "../shapes/log.js";
import { Progress } from "../shapes/progress.js";
import { limitUpTo, OneJob } from "../shapes/scalars.js";
import { eventStream, fileStream } from "../streaming.js";

const LOGS = "/api/v1/apps/{appId}/jobs/{id}/logs";

const wholeNumber = z
  .string()
  .regex(/^\d{1,9}$/, "must be a whole number")
  .transform(Number);

const someOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z
    .string()
    .transform((text) => text.split(","))
    .pipe(z.array(z.enum(values)))
    .optional();

const FILTER = {
  level: someOf(LOG_LEVELS).describe("One or more levels, joined by commas."),
  stream: someOf(LOG_STREAMS).describe("One or more streams, joined by commas."),
  q: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe("Text that the message or the data holds, in upper or lower case."),
  attempt: wholeNumber.optional().describe("Lines of this attempt only."),
};

const filterOf = ({ level, stream, q, attempt }: z.output<z.ZodObject<typeof FILTER>>) => ({
  ...{ levels: level, streams: stream, q, attempt },
});

/** What a job has logged: page by page, live, and as a file. */
export const logRoutes = [
  defineRoute({
    method: "get",
    path: LOGS,
    operationId: "listLogs",
    summary: "List the lines of a job's log, in order",
    permission: "app:{appId}:job.read",
    params: OneJob,
    query: z.strictObject({
      ...FILTER,
      order: z.enum(["asc", "desc"]).default("asc").describe("asc (the default) or desc."),
      cursor: wholeNumber.optional().describe("The nextCursor of the page before."),
      limit: limitUpTo(1000, 100),
    }),
    responses: {
      200: z.strictObject({
        items: z.array(LogLine),
        nextCursor: z.int().nullable().describe("null when no line follows (yet)."),
      }),
    },
    handler: async ({ sql, params: { appId, id }, query }) => {
      const { rows, more } = await listLogs(sql, appId, id, {
        ...filterOf(query),
        after: query.cursor,
        limit: query.limit,
        descending: query.order === "desc",
      });
      return reply(200, {
        items: rows.map(toLogLine),
        nextCursor: more ? (rows.at(-1)?.seq ?? null) : null,
      });
    },
  }),
  defineRoute({
    method: "get",
    path: `${LOGS}/stream`,
    operationId: "streamLogs",
    summary: "Follow a job's log, its progress and its status, until it has ended",
    permission: "app:{appId}:job.read",
    params: OneJob,
    query: z.strictObject({
      after: wholeNumber
        .optional()
        .describe("Lines after this seq only. A Last-Event-ID header goes before it."),
    }),
    responses: {
      200: eventStream({ log: LogLine, progress: Progress, status: StatusEvent, end: EndEvent }),
    },
    handler: async ({ sql, params: { appId, id }, query: { after = 0 } }) => {
      await getJob(sql, appId, id);
      return reply(200, (signal, lastId) => followLog(sql, id, lastId ?? after, signal));
    },
  }),
  defineRoute({
    method: "get",
    path: `${LOGS}/download`,
    operationId: "downloadLogs",
    summary: "Download a job's log as a file: text, JSON, or a line of JSON each",
    permission: "app:{appId}:job.read",
    params: OneJob,
    query: z.strictObject({
      ...FILTER,
      format: z
        .enum(Object.keys(FORMATS) as [Format, ...Format[]])
        .default("txt")
        .describe("txt (the default), json or jsonl."),
    }),
    responses: {
      200: fileStream({
        [FORMATS.txt]: z.string(),
        [FORMATS.json]: z.array(LogLine),
        [FORMATS.jsonl]: LogLine,
      }),
    },
    handler: async ({ sql, params: { appId, id }, query }) => {
      await getJob(sql, appId, id);
      const { format } = query;
      return reply(200, {
        type: FORMATS[format],
        name: `${appId}-job-${id}.${format}`,
        text: () => downloadLog(sql, appId, id, format, filterOf(query)),
      });
    },
  }),
];
