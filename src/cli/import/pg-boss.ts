import type { PgBossSchedule } from "../../db/importable.js";
import { collect } from "./collect.js";
import { convertCron, type Dialect } from "./cron-text.js";
import type { Entry, Imported } from "./types.js";

const PG_BOSS: Dialect = {
  starStepRestricts: true,
  fullRangeIsStar: true,
  numberStep: "from",
  seconds: true,
};

/** Takes over the schedules of pg-boss. */
export function importPgBoss(schedules: readonly PgBossSchedule[]): Imported {
  return collect(schedules.map(toEntry), [
    "pg-boss sends a job whatever the last one does: overlapPolicy is queue, unless its queue had a policy",
    "pg-boss drops what was due while none of its processes ran: catchUp is none",
    "the queue's own settings (retryLimit, expireInSeconds, …) are not in its schedules: set them here",
  ]);
}

function toEntry({ name, key, cron, timezone, data, options }: PgBossSchedule): Entry {
  const { schedule, notes, timezone: inText } = convertCron(cron, PG_BOSS);
  const zone = timezone ?? inText;
  const { fields, notes: more } = readOptions(options ?? {});
  const payload =
    typeof data === "object" && !Array.isArray(data) ? data : data === undefined ? null : { data };
  return {
    label: key ? `${name}-${key}` : name,
    schedule,
    fields: {
      ...(zone === null || zone === undefined || /^(GMT|UTC|Etc\/UTC)$/.test(zone)
        ? {}
        : { timezone: zone }),
      method: name,
      ...(payload === null ? {} : { payload: payload as Record<string, unknown> }),
      ...{ overlapPolicy: "queue", catchUp: "none" },
      ...fields,
    },
    notes: [...notes, ...more],
  };
}

function readOptions(options: Record<string, unknown>): Pick<Entry, "fields" | "notes"> {
  const fields: Entry["fields"] = {};
  const notes: Entry["notes"] = [];
  for (const [name, value] of Object.entries(options)) {
    // The schedule's own zone says it already.
    if (value === null || name === "tz") continue;
    if (name === "priority") fields.priority = Number(value);
    else if (name === "retryLimit") fields.maxAttempts = Math.min(Number(value) + 1, 100);
    else if (name === "retryDelay") fields.retryDelay = Number(value);
    else if (name === "retryBackoff") fields.retryBackoff = value === true ? 2 : 1;
    else if (name === "expireInSeconds") fields.timeout = Math.min(Number(value), 86_400);
    else if (name === "singletonKey" || name === "singletonSeconds") {
      fields.overlapPolicy = "buffer";
      notes.push({
        kind: "changed",
        text: `${name} became overlapPolicy buffer: at most one waits`,
      });
    } else
      notes.push({ kind: "lost", text: `${name} (${JSON.stringify(value)}) has no counterpart` });
  }
  return { fields, notes };
}
