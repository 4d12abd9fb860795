import type { Output } from "carillon/client";

export type AuditEntry = Output<"GET /api/v1/audit">["items"][number];

/** What a change did, in one line: `maria changed schedule: "0 8 * * *" → "0 9 * * *"`. */
export function sentenceOf({ action, actor, before, after, via }: AuditEntry): string {
  const who = via === "system" ? "Carillon" : actor.name;
  const verb = VERBS[action];
  if (verb !== undefined) {
    const note = after?.pauseNote;
    return typeof note === "string" ? `${who} ${verb}: “${note}”` : `${who} ${verb}`;
  }
  const fields = changedFields(before, after);
  if (fields.length === 0) return `${who}: ${action}`;
  const parts = fields.slice(0, 3).map(({ field, from, to }) => `${field}: ${from} → ${to}`);
  const more = fields.length > 3 ? ` and ${fields.length - 3} more` : "";
  return `${who} changed ${parts.join(", ")}${more}`;
}

const VERBS: Readonly<Record<string, string>> = {
  "cron.create": "created it",
  "cron.delete": "deleted it",
  "cron.pause": "paused it",
  "cron.resume": "resumed it",
  "cron.trigger": "ran it by hand",
  "cron.backfill": "began a backfill",
};

interface Changed {
  field: string;
  from: string;
  to: string;
}

type Fields = Readonly<Record<string, unknown>> | null;

/** Every field that differs, with both values. */
export function changedFields(before: Fields, after: Fields): Changed[] {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  return names
    .map((field) => ({ field, from: shown(before?.[field]), to: shown(after?.[field]) }))
    .filter(({ from, to }) => from !== to);
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return "none";
  return typeof value === "string" ? value : JSON.stringify(value);
}
