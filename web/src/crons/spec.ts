import type { CronChanges, NewCron } from "carillon/client";
import { parsePayload } from "./payload.js";
import { readSpan } from "../time/span.js";
import { FIELDS, touched, type EditorValues, type FieldName } from "./values.js";

/** What a text stands for in the API, or why it stands for nothing. */
type Read = { value: unknown } | { error: string };

const text = (given: string): Read => ({ value: given.trim() === "" ? null : given.trim() });
const asIs = (given: string): Read => ({ value: given });

function whole(given: string): Read {
  if (given.trim() === "") return { value: null };
  return /^-?\d{1,9}$/.test(given.trim())
    ? { value: Number(given) }
    : { error: "Must be a whole number, such as 3." };
}

function decimal(given: string): Read {
  if (given.trim() === "") return { value: null };
  return /^\d{1,3}(\.\d{1,6})?$/.test(given.trim())
    ? { value: Number(given) }
    : { error: "Must be a number, such as 1.5." };
}

function span(given: string): Read {
  if (given.trim() === "") return { value: null };
  const value = readSpan(given);
  return value === undefined
    ? { error: "Must be a length of time: 90 s, 15 min, 1 h 30 min, or seconds alone." }
    : { value };
}

function list(given: string): Read {
  const words = given.split(",").map((word) => word.trim());
  return { value: [...new Set(words.filter((word) => word !== ""))] };
}

function target(given: string): Read {
  if (given.trim() === "") return { value: null };
  try {
    return { value: JSON.parse(given) as unknown };
  } catch (error) {
    return { error: `Not JSON: ${(error as Error).message}.` };
  }
}

/** How each field's text is read; ranges, zones and schedules are the server's to judge. */
const READ: Readonly<Record<FieldName, (given: string) => Read>> = {
  name: (given) =>
    given.trim() === "" ? { error: "Give it a name, such as nightly-report." } : text(given),
  schedule: (given) =>
    given.trim() === "" ? { error: "Say when it fires, such as 0 9 * * 1-5." } : asIs(given),
  timezone: text,
  method: text,
  payload: (given) => (given.trim() === "" ? { value: null } : parsePayload(given)),
  overlapPolicy: asIs,
  catchUp: asIs,
  catchUpMax: whole,
  catchUpWindow: span,
  maxAttempts: whole,
  retryDelay: span,
  retryBackoff: decimal,
  timeout: span,
  expiresAfter: span,
  maxConsecutiveFailures: whole,
  priority: whole,
  maxConcurrency: whole,
  tags: list,
  jitter: span,
  gap: asIs,
  fold: asIs,
  startsAt: text,
  endsAt: text,
  runAs: text,
  target,
};

export type FieldErrors = Partial<Record<FieldName, string>>;

/** Every field whose text stands for nothing, and why. */
export function problemsIn(
  values: EditorValues,
  fields: readonly FieldName[] = FIELDS,
): FieldErrors {
  const found = fields.map((field) => [field, READ[field](values[field])] as const);
  return Object.fromEntries(
    found.flatMap(([field, read]) => ("error" in read ? [[field, read.error]] : [])),
  );
}

/** What was touched, as the API takes it; null resets a field to its default. */
export function changesIn(values: EditorValues, base: EditorValues): CronChanges {
  const fields = touched(values, base);
  const entries = fields
    .filter((field) => field !== "gap" && field !== "fold")
    .map((field) => {
      const read = READ[field](values[field]);
      return [field, "value" in read ? read.value : undefined] as const;
    });
  const dst = fields.some((field) => field === "gap" || field === "fold");
  return {
    ...Object.fromEntries(entries),
    ...(dst ? { dst: { gap: values.gap, fold: values.fold } } : {}),
  };
}

/** A new cron: its name, its schedule, and what differs from a cron of which nothing was said. */
export function newCron(values: EditorValues, nothing: EditorValues): NewCron {
  const changes = changesIn(values, nothing);
  return { ...changes, name: values.name.trim(), schedule: values.schedule };
}

/** The field a path of the API is about: `dst.gap`, `tags[2]`, `payload`. */
export function fieldOf(path: string): FieldName | undefined {
  const [first = "", second = ""] = path.split(/[.[\]]+/);
  const name = first === "dst" ? (second === "fold" ? "fold" : "gap") : first;
  return FIELDS.find((field) => field === name);
}
