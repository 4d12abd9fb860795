import type { Cron } from "carillon/client";
import { spanText } from "../time/span.js";

/**
 * What is in the editor's fields, each as its text. "" is the default of the field; the texts of an
 * untouched cron are those it was read into, so what differs is what somebody touched.
 */
export interface EditorValues {
  name: string;
  schedule: string;
  timezone: string;
  method: string;
  payload: string;
  overlapPolicy: Cron["overlapPolicy"];
  catchUp: Cron["catchUp"];
  catchUpMax: string;
  catchUpWindow: string;
  maxAttempts: string;
  retryDelay: string;
  retryBackoff: string;
  timeout: string;
  expiresAfter: string;
  maxConsecutiveFailures: string;
  priority: string;
  maxConcurrency: string;
  tags: string;
  jitter: string;
  gap: Cron["dst"]["gap"];
  fold: Cron["dst"]["fold"];
  startsAt: string;
  endsAt: string;
  runAs: string;
  /** Its JSON; "" for the app's workers. */
  target: string;
}

/** A cron of which nothing has been said. */
export const NOTHING: EditorValues = {
  name: "",
  schedule: "",
  timezone: "GMT",
  method: "",
  payload: "{}",
  overlapPolicy: "skip",
  catchUp: "latest",
  catchUpMax: "",
  catchUpWindow: "",
  maxAttempts: "",
  retryDelay: "",
  retryBackoff: "",
  timeout: "",
  expiresAfter: "",
  maxConsecutiveFailures: "",
  priority: "",
  maxConcurrency: "",
  tags: "",
  jitter: "",
  gap: "shift",
  fold: "first",
  startsAt: "",
  endsAt: "",
  runAs: "",
  target: "",
};

/** A cron as the fields show it: what is as usual is left empty. */
export function valuesOf(cron: Cron): EditorValues {
  const unless = (
    usual: number | null,
    value: number | null,
    text: (value: number) => string = String,
  ) => (value === null || value === usual ? "" : text(value));
  const span = (usual: number | null, value: number | null) => unless(usual, value, spanText);
  return {
    name: cron.name,
    schedule: cron.schedule,
    timezone: cron.timezone,
    method: cron.method ?? "",
    // The API shows the method in the payload as well; it is a field of its own here.
    payload: JSON.stringify(
      cron.method === null ? cron.payload : without(cron.payload, "method"),
      null,
      2,
    ),
    overlapPolicy: cron.overlapPolicy,
    catchUp: cron.catchUp,
    catchUpMax: unless(100, cron.catchUpMax),
    catchUpWindow: span(3600, cron.catchUpWindow),
    maxAttempts: unless(1, cron.maxAttempts),
    retryDelay: span(10, cron.retryDelay),
    retryBackoff: unless(2, cron.retryBackoff),
    timeout: span(null, cron.timeout),
    expiresAfter: span(null, cron.expiresAfter),
    maxConsecutiveFailures: unless(null, cron.maxConsecutiveFailures),
    priority: unless(0, cron.priority),
    maxConcurrency: unless(null, cron.maxConcurrency),
    tags: cron.tags.join(", "),
    jitter: span(0, cron.jitter),
    gap: cron.dst.gap,
    fold: cron.dst.fold,
    startsAt: cron.startsAt ?? "",
    endsAt: cron.endsAt ?? "",
    runAs: cron.runAs ?? "",
    target: cron.target === null ? "" : JSON.stringify(cron.target, null, 2),
  };
}

const without = (fields: Record<string, unknown>, name: string) =>
  Object.fromEntries(Object.entries(fields).filter(([field]) => field !== name));

export type FieldName = keyof EditorValues;

export const FIELDS = Object.keys(NOTHING) as FieldName[];

/** The fields whose texts differ. */
export const touched = (values: EditorValues, base: EditorValues): FieldName[] =>
  FIELDS.filter((field) => values[field] !== base[field]);
