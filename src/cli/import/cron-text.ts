import type { Entry } from "./types.js";

/** Whose cron expressions they are: dialects differ where nobody looks. */
export interface Dialect {
  /** Whether a day-of-month of every second day (a star and a step) counts as restricted, and so is OR-ed with the weekday. */
  starStepRestricts: boolean;
  /** Whether 1-31 (0-6, 0-7) counts as a star. */
  fullRangeIsStar: boolean;
  /** What 5/10 means: from 5 on in steps of 10, or nothing at all. */
  numberStep: "from" | "error";
  /** Whether @reboot, L, and a field of seconds in front may stand there. */
  seconds: boolean;
}

/** A schedule that could be kept, or why it could not. */
export interface Converted {
  schedule: string | undefined;
  timezone?: string;
  notes: Entry["notes"];
}

const MACROS: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** The fields: their least and greatest numbers, and names that stand for numbers. */
const FIELDS = [
  { name: "minute", least: 0, most: 59, names: [] },
  { name: "hour", least: 0, most: 23, names: [] },
  { name: "day of month", least: 1, most: 31, names: [] },
  { name: "month", least: 1, most: 12, names: MONTHS },
  { name: "day of week", least: 0, most: 7, names: DAYS },
] as const;

/** A schedule of another scheduler in Carillon's words; digits only, meaning the same. */
export function convertCron(text: string, dialect: Dialect): Converted {
  const zone = /^(?:CRON_)?TZ=(\S+)\s+/.exec(text);
  const bare = (zone === null ? text : text.slice(zone[0].length)).trim().replace(/\s+/g, " ");
  const converted = convert(bare, dialect);
  if (zone?.[1] === undefined) return converted;
  const note = {
    kind: "changed" as const,
    text: `${zone[0].trim()} in the schedule became its timezone`,
  };
  return { ...converted, timezone: zone[1], notes: [note, ...converted.notes] };
}

function convert(text: string, dialect: Dialect): Converted {
  const refuse = (why: string): Converted => ({
    schedule: undefined,
    notes: [{ kind: "refused", text: `${JSON.stringify(text)}: ${why}` }],
  });
  const changed = (schedule: string, more: Entry["notes"] = []): Converted => ({
    schedule,
    notes: [
      ...(schedule === text
        ? []
        : [
            {
              kind: "changed" as const,
              text: `schedule ${JSON.stringify(text)} is written ${JSON.stringify(schedule)}`,
            },
          ]),
      ...more,
    ],
  });
  if (/^([1-9]|[1-5]\d) seconds?$/.test(text)) return changed(text.replace(/second$/, "seconds"));
  const every = /^@every (.+)$/.exec(text)?.[1];
  if (every !== undefined) return convertEvery(every, changed, refuse);
  if (text === "@reboot") return refuse("nothing runs at a restart here");
  const macro = MACROS[text.toLowerCase()];
  if (macro !== undefined) return changed(macro);
  if (text.startsWith("@")) return refuse("is not known");
  let parts = text.split(" ");
  const notes: Entry["notes"] = [];
  if (parts.length === 6 && dialect.seconds) {
    if (!/^\d+$/.test(parts[0] ?? "")) return refuse("a field of seconds has no counterpart");
    if (Number(parts[0]) !== 0)
      notes.push({ kind: "changed", text: `it starts at second 0 of the minute, not ${parts[0]}` });
    parts = parts.slice(1);
  }
  if (parts.length !== 5) return refuse("has not five fields");
  try {
    const fields = parts.map((part, at) => convertField(part, at, dialect));
    return changed(asOr(fields, dialect).join(" "), notes);
  } catch (error) {
    return refuse((error as Error).message);
  }
}

/** Of Go: 1h30m. */
function convertEvery(
  text: string,
  changed: (schedule: string, more: Entry["notes"]) => Converted,
  refuse: (why: string) => Converted,
): Converted {
  const [, hours = "0", minutes = "0", seconds = "0"] =
    /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text) ?? [];
  const total = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  const anchored = {
    kind: "changed" as const,
    text: "its slots are counted from when it is made, not from the start of a process",
  };
  if (total > 0 && total % 60 === 0) return changed(`every ${total / 60} minutes`, [anchored]);
  if (total > 0 && total < 60) return changed(`${total} seconds`, []);
  return refuse("the interval is neither whole minutes nor less than one");
}

function convertField(part: string, at: number, dialect: Dialect): string {
  const field = FIELDS[at];
  if (field === undefined) throw new Error("has too many fields");
  if (part === "?") return "*";
  if (/^L$/i.test(part) && at === 2) return "$";
  if (part === "$" && at === 2) return part;
  const items = part.split(",").map((item) => convertItem(item, field, dialect));
  if (dialect.fullRangeIsStar && items.some((item) => isFull(item, at))) return "*";
  return items.join(",");
}

const isFull = (item: string, at: number) =>
  at === 2 ? item === "1-31" : at === 4 && ["0-6", "0-7", "1-7"].includes(item);

function convertItem(
  item: string,
  field: (typeof FIELDS)[number],
  { numberStep }: Dialect,
): string {
  const [, from, to, step] = /^(\*|[a-z]+|\d+)(?:-([a-z]+|\d+))?(?:\/(\d+))?$/i.exec(item) ?? [];
  if (from === undefined)
    throw new Error(`${JSON.stringify(item)} as ${field.name} has no counterpart`);
  const number = (text: string) => {
    if (text === "*" || /^\d+$/.test(text)) return text;
    const place = (field.names as readonly string[]).indexOf(text.slice(0, 3).toLowerCase());
    if (place < 0) throw new Error(`${JSON.stringify(text)} is no ${field.name}`);
    return String(place + field.least);
  };
  const first = number(from);
  if (to !== undefined) return range(first, number(to), step, field);
  if (step === undefined || first === "*") return step === undefined ? first : `*/${step}`;
  if (numberStep === "error") throw new Error(`a step on the single number ${first} is not valid`);
  // 7 is Sunday once more.
  return `${first}-${field.most === 7 ? 6 : field.most}/${step}`;
}

/** Weekdays may run over the end of the week: FRI-SUN. */
function range(
  from: string,
  to: string,
  step: string | undefined,
  field: (typeof FIELDS)[number],
): string {
  const by = step === undefined ? "" : `/${step}`;
  if (Number(from) <= Number(to)) return `${from}-${to}${by}`;
  if (field.most === 7 && to === "0") return `${from}-7${by}`;
  throw new Error(`the range ${from}-${to} runs backwards`);
}

/** Where a star with a step restricts there, and both days do: here it has to be a range to be OR-ed. */
function asOr(fields: string[], { starStepRestricts }: Dialect): string[] {
  const [, , date = "*", , day = "*"] = fields;
  if (!starStepRestricts || date === "*" || day === "*") return fields;
  const spelled = (text: string, all: string) => text.replace(/\*(?=\/)/g, all);
  return fields.map((text, at) =>
    at === 2 ? spelled(text, "1-31") : at === 4 ? spelled(text, "0-6") : text,
  );
}
