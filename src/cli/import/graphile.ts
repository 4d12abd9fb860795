import { collect } from "./collect.js";
import { convertCron, type Dialect } from "./cron-text.js";
import type { Entry, Imported } from "./types.js";

const GRAPHILE: Dialect = {
  starStepRestricts: true,
  fullRangeIsStar: true,
  numberStep: "error",
  seconds: false,
};

/** graphile-worker's own defaults. */
const MAX_ATTEMPTS = 25;

const LINE = /^((?:\S+\s+){5})([_a-zA-Z][_a-zA-Z0-9:_-]*)(?:\s+\?(\S+))?(?:\s+(\{.*\}))?\s*$/;

/** Reads a crontab of graphile-worker. */
export function importGraphile(text: string): Imported {
  const lines = text.split(/\r?\n/).map((line, at) => [line.trim(), at + 1] as const);
  const entries = lines.filter(([line]) => line !== "" && !line.startsWith("#")).map(toEntry);
  return collect(entries, [
    "graphile-worker never looks whether the last job is done: overlapPolicy is queue",
    "without fill, graphile-worker drops what it missed: catchUp is none",
    "graphile-worker waits e to the power of the attempt, in seconds; here 3 s, growing by 2.72",
    "payload._cron is not there: the handler finds the slot in ctx.scheduledFor",
  ]);
}

function toEntry([line, at]: readonly [string, number]): Entry {
  const [, schedule = "", task = "", options = "", payload] = LINE.exec(line) ?? [];
  if (task === "") return refused(`line ${at}`, `is not a line of a crontab: ${line}`);
  const given = new URLSearchParams(options);
  const id = given.get("id") ?? task;
  let data: unknown = {};
  try {
    data = payload === undefined ? {} : JSON.parse(payload.replace(/^\{\s*$/, "{}"));
  } catch {
    return refused(id, `its payload is not JSON (JSON5 is not read): ${payload ?? ""}`);
  }
  const converted = convertCron(schedule, GRAPHILE);
  const { fields, notes } = readOptions(given);
  return {
    label: id,
    schedule: converted.schedule,
    fields: {
      method: task,
      ...(Object.keys(data as object).length > 0
        ? { payload: data as Record<string, unknown> }
        : {}),
      ...{
        overlapPolicy: "queue",
        catchUp: "none",
        maxAttempts: MAX_ATTEMPTS,
        retryDelay: 3,
        retryBackoff: 2.72,
      },
      ...fields,
    },
    notes: [...converted.notes, ...notes],
  };
}

const refused = (label: string, text: string): Entry => ({
  ...{ label, schedule: undefined, fields: {} },
  notes: [{ kind: "refused", text }],
});

function readOptions(given: URLSearchParams): Pick<Entry, "fields" | "notes"> {
  const fields: Entry["fields"] = {};
  const notes: Entry["notes"] = [];
  for (const [name, value] of given) {
    if (name === "id") continue;
    if (name === "max") fields.maxAttempts = Math.min(Number(value), 100);
    else if (name === "fill") {
      fields.catchUp = "all";
      fields.catchUpWindow = duration(value);
      fields.catchUpMax = 1000;
      notes.push({
        kind: "changed",
        text: `fill=${value} became catchUp all within ${duration(value)} s, 1000 jobs at most`,
      });
    } else if (name === "priority") {
      // There the lower number goes first.
      fields.priority = -Number(value);
      notes.push({
        kind: "changed",
        text: `priority=${value} became ${-Number(value)}: higher goes first here`,
      });
    } else if (name === "jobKey") {
      fields.overlapPolicy = "buffer";
      notes.push({
        kind: "changed",
        text: `jobKey=${value} became overlapPolicy buffer: at most one waits`,
      });
    } else if (name === "queue") {
      fields.maxConcurrency = 1;
      notes.push({
        kind: "changed",
        text: `queue=${value} became maxConcurrency 1: other crons of that queue may run beside it`,
      });
    } else notes.push({ kind: "lost", text: `${name}=${value} has no counterpart` });
  }
  return { fields, notes };
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** 4w3d2h1m, in seconds. */
function duration(text: string): number {
  const parts = [...text.matchAll(/(\d+)([smhdw])/g)];
  const total = parts.reduce(
    (sum, [, amount, unit = "s"]) => sum + Number(amount) * (SECONDS[unit] ?? 1),
    0,
  );
  return Math.min(total, 31_536_000);
}
