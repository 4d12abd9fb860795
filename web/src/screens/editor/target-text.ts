/*
 * A target in its JSON text is the only state, as a schedule is. A form shows a target only where
 * writing what the form holds gives the same target again; any other is shown as its JSON.
 */

export type TargetType = "" | "http" | "agent" | "faktory" | "container";

type Kind = "text" | "number" | "lines" | "json" | "pairs" | "status" | "body";

/** A field of a target's form. */
export interface TargetField {
  name: string;
  label: string;
  kind: Kind;
  hint?: string;
  placeholder?: string;
  choices?: readonly string[];
  /** Offered is what other crons of the app say here. */
  known?: boolean;
}

const CALL: readonly TargetField[] = [
  {
    name: "headers",
    label: "Headers",
    kind: "pairs",
    hint: "{{secret.NAME}} stands for one of the app's secrets.",
  },
  {
    name: "expectedStatus",
    label: "Success is",
    kind: "status",
    placeholder: "2xx",
    hint: "A code, a range such as 200-204, or several with commas.",
  },
  { name: "redirects", label: "Redirects to follow", kind: "number", placeholder: "0" },
];

const URL_FIELD: TargetField = {
  name: "url",
  label: "URL",
  kind: "text",
  placeholder: "https://example.com/hooks/nightly",
};

const timeout = (placeholder: string): TargetField => ({
  name: "timeout",
  label: "Timeout in seconds",
  kind: "number",
  placeholder,
  hint: "Of the whole call, 300 at most.",
});

export const TARGET_FIELDS: Readonly<Record<Exclude<TargetType, "">, readonly TargetField[]>> = {
  http: [
    URL_FIELD,
    {
      name: "method",
      label: "Method",
      kind: "text",
      choices: ["", "GET", "POST", "PUT", "PATCH", "DELETE"],
      placeholder: "POST",
    },
    timeout("10"),
    ...CALL,
    { name: "body", label: "Body", kind: "body" },
  ],
  agent: [URL_FIELD, timeout("60"), ...CALL],
  faktory: [
    {
      name: "jobType",
      label: "Job type",
      kind: "text",
      known: true,
      hint: "As Faktory's workers know it.",
    },
    {
      name: "queue",
      label: "Queue",
      kind: "text",
      known: true,
      placeholder: "default",
      hint: "The job has succeeded once it is in there.",
    },
    {
      name: "instance",
      label: "Server",
      kind: "text",
      known: true,
      placeholder: "default",
      hint: "As the operator named it.",
    },
    { name: "args", label: "Arguments", kind: "json", placeholder: "[]", hint: "A list, in JSON." },
    { name: "reserveFor", label: "Reserved for, in seconds", kind: "number", placeholder: "1800" },
    { name: "retry", label: "Faktory's own retries", kind: "number", placeholder: "25" },
    {
      name: "timeout",
      label: "Timeout in seconds",
      kind: "number",
      placeholder: "10",
      hint: "Until the server must have accepted it.",
    },
  ],
  container: [
    {
      name: "image",
      label: "Image",
      kind: "text",
      known: true,
      placeholder: "registry.example/crm/report:2.1",
      hint: "With tag or digest; the operator allows images app by app.",
    },
    { name: "cmd", label: "Command", kind: "lines", hint: "One argument a line." },
    { name: "env", label: "Environment", kind: "pairs" },
    { name: "memory", label: "Memory in MiB", kind: "number", placeholder: "256" },
    { name: "cpus", label: "CPUs", kind: "number", placeholder: "1" },
    {
      name: "network",
      label: "Network",
      kind: "text",
      known: true,
      placeholder: "none",
      hint: "One that the operator allows.",
    },
    {
      name: "pull",
      label: "Pull the image",
      kind: "text",
      choices: ["", "missing", "always", "never"],
      placeholder: "missing",
    },
    {
      name: "timeout",
      label: "Timeout in seconds",
      kind: "number",
      placeholder: "30",
      hint: "Then it is stopped and has failed; 3600 at most.",
    },
    {
      name: "stopSignal",
      label: "Stop signal",
      kind: "text",
      placeholder: "SIGTERM",
      hint: "Asks it to stop, 2 seconds before it is killed.",
    },
  ],
};

export type Pair = readonly [name: string, value: string];

/** What a form holds. */
export interface TargetForm {
  type: TargetType | "json";
  texts: Readonly<Record<string, string>>;
  pairs: Readonly<Record<string, readonly Pair[]>>;
  /** Whether a body is text as it is, or JSON. */
  bodyIs: "json" | "text";
  json: string;
}

const EMPTY: TargetForm = { type: "", texts: {}, pairs: {}, bodyIs: "json", json: "" };

/** The form of a target's text. */
export function readTarget(text: string): TargetForm {
  if (text === "") return EMPTY;
  const target = parsed(text);
  if (target === undefined) return { ...EMPTY, type: "json", json: text };
  const form = formOf(target);
  const again = form && parsed(writeTarget(form));
  return form !== undefined && again !== undefined && canonical(again) === canonical(target)
    ? form
    : { ...EMPTY, type: "json", json: text };
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function formOf(target: Record<string, unknown>): TargetForm | undefined {
  const type = (["http", "agent", "faktory", "container"] as const).find((t) => t === target.type);
  if (type === undefined) return undefined;
  const texts: Record<string, string> = {};
  const pairs: Record<string, readonly Pair[]> = {};
  for (const { name, kind } of TARGET_FIELDS[type]) {
    const value = target[name];
    if (value === undefined) continue;
    if (kind === "pairs") pairs[name] = Object.entries(value ?? {}) as [string, string][];
    else texts[name] = textOf(kind, value);
  }
  const bodyIs = typeof target.body === "string" ? "text" : "json";
  return { ...EMPTY, type, texts, pairs, bodyIs };
}

function textOf(kind: Kind, value: unknown): string {
  if (kind === "lines") return Array.isArray(value) ? value.join("\n") : JSON.stringify(value);
  if (kind === "status" && Array.isArray(value)) return value.join(", ");
  if (kind === "json" || (kind === "body" && typeof value !== "string")) {
    return JSON.stringify(value, null, 2);
  }
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The text of a form's target; "" for the app's workers. */
export function writeTarget(form: TargetForm): string {
  const { type, texts, pairs, bodyIs, json } = form;
  if (type === "") return "";
  if (type === "json") return json;
  const parts = TARGET_FIELDS[type].flatMap(({ name, kind }) => {
    if (kind === "pairs") {
      const given = (pairs[name] ?? []).filter(([key, value]) => key !== "" || value !== "");
      return given.length === 0 ? [] : [[name, JSON.stringify(Object.fromEntries(given))]];
    }
    const text = texts[name] ?? "";
    return text.trim() === "" ? [] : [[name, jsonOf(kind, text, bodyIs)]];
  });
  const members = [["type", JSON.stringify(type)], ...parts];
  return `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value ?? "null"}`).join(",")}}`;
}

function jsonOf(kind: Kind, text: string, bodyIs: "json" | "text"): string {
  switch (kind) {
    case "text":
    case "pairs":
      return JSON.stringify(text);
    case "number":
      return numberOrText(text.trim());
    case "lines":
      return JSON.stringify(text.split("\n"));
    case "json":
      return text;
    case "body":
      return bodyIs === "json" ? text : JSON.stringify(text);
    case "status": {
      const parts = text.split(",").map((part) => numberOrText(part.trim()));
      return parts.length === 1 ? (parts[0] ?? '""') : `[${parts.join(",")}]`;
    }
  }
}

/** What is no number goes as it is, for the server to refuse. */
const numberOrText = (text: string) =>
  /^-?\d{1,9}(\.\d{1,6})?$/.test(text) ? String(Number(text)) : JSON.stringify(text);

/** Equal for equal values, in whatever order their fields stand. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, one]) => `${JSON.stringify(name)}:${canonical(one)}`).join(",")}}`;
}

/** What is wrong with the text of a form's JSON parts, by field. */
export function brokenParts(form: TargetForm): Record<string, string> {
  if (form.type === "" || form.type === "json") return {};
  const found: Record<string, string> = {};
  for (const { name, kind } of TARGET_FIELDS[form.type]) {
    const text = form.texts[name] ?? "";
    const isJson = kind === "json" || (kind === "body" && form.bodyIs === "json");
    if (!isJson || text.trim() === "") continue;
    try {
      JSON.parse(text);
    } catch (error) {
      found[name] = `Not JSON: ${(error as Error).message}.`;
    }
  }
  return found;
}
