import type { Difference, Entry, Imported } from "./types.js";

const MOST = 64;

/** The crons of all entries that can be kept, under names that are valid and unique. */
export function collect(entries: readonly Entry[], general: readonly string[]): Imported {
  const taken = new Set<string>();
  const differences: Difference[] = general.map((text) => ({
    cron: undefined,
    kind: "changed",
    text,
  }));
  const crons = entries.flatMap(({ label, fields, schedule, notes }) => {
    const name = schedule === undefined ? label : uniqueName(label, taken);
    const said = [...notes];
    if (schedule !== undefined && name !== label)
      said.unshift({ kind: "changed", text: `it was named ${JSON.stringify(label)}` });
    differences.push(...said.map((note) => ({ cron: name, ...note })));
    return schedule === undefined ? [] : [{ name, schedule, ...fields }];
  });
  return { crons, differences };
}

function uniqueName(label: string, taken: Set<string>): string {
  const base =
    label
      .replace(/[^A-Za-z0-9_-]+/g, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, MOST) || "cron";
  let name = base;
  for (let n = 2; taken.has(name); n++) name = `${base.slice(0, MOST - String(n).length - 1)}-${n}`;
  taken.add(name);
  return name;
}
