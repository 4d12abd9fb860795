import { isDeepStrictEqual, styleText } from "node:util";
import { toCronFields } from "../../api/shapes/cron.js";
import type { CronRow } from "../../db/crons.js";
import type { Rehearsal } from "../../db/plan.js";
import { oneLine } from "../output/text.js";

/** A field that would change. */
interface Change {
  from: unknown;
  to: unknown;
}

/** What a deploy would do. */
export interface Plan {
  appId: string;
  installed: boolean;
  app: Record<string, Change>;
  created: { name: string; schedule: string; timezone: string }[];
  updated: { name: string; changes: Record<string, Change> }[];
  deleted: string[];
  unchanged: string[];
}

/** Fields that follow from others, or that no manifest says. */
const DERIVED = new Set<string>([
  ...[
    "id",
    "appId",
    "name",
    "pgJobId",
    "createdBy",
    "createdAt",
    "updatedAt",
    "version",
    "nextFireAt",
  ],
  ...["completedAt", "consecutiveFailures", "description", "denied", "origin", "paused"],
]);
const APP_FIELDS = ["name", "permissions", "maxConcurrency"] as const;

export function toPlan({ result, appBefore, appAfter, before, after }: Rehearsal): Plan {
  const old = new Map(before.map((row) => [row.name, row]));
  const fresh = new Map(after.map((row) => [row.name, row]));
  const both = (name: string) => [toShow(old.get(name)), toShow(fresh.get(name))] as const;
  return {
    appId: result.appId,
    installed: result.installed,
    app: appBefore === undefined ? {} : changesOf(pick(appBefore), pick(appAfter)),
    created: result.created.map((name) => {
      const row = fresh.get(name);
      return { name, schedule: row?.schedule ?? "", timezone: row?.timezone ?? "" };
    }),
    updated: result.updated.map((name) => ({ name, changes: changesOf(...both(name)) })),
    deleted: result.deleted,
    unchanged: result.unchanged,
  };
}

const pick = (app: object) =>
  Object.fromEntries(APP_FIELDS.map((name) => [name, (app as Record<string, unknown>)[name]]));

const toShow = (row: CronRow | undefined): Record<string, unknown> =>
  row === undefined ? {} : { ...toCronFields(row) };

function changesOf(
  from: Record<string, unknown>,
  to: Record<string, unknown>,
): Record<string, Change> {
  const names = Object.keys(to).filter(
    (name) => !DERIVED.has(name) || (name === "name" && !("schedule" in to)),
  );
  const changed = names.filter((name) => !isDeepStrictEqual(from[name], to[name]));
  return Object.fromEntries(changed.map((name) => [name, { from: from[name], to: to[name] }]));
}

/** The plan as a diff. */
export function planText(plan: Plan, colors: boolean): string {
  const paint = (color: "green" | "yellow" | "red", text: string) =>
    colors ? styleText(color, text) : text;
  const fields = (changes: Record<string, Change>) =>
    Object.entries(changes).map(
      ([name, { from, to }]) => `    ${name}: ${value(from)} → ${value(to)}`,
    );
  const lines = [
    ...(plan.installed ? [paint("green", `+ app ${plan.appId}`)] : []),
    ...(Object.keys(plan.app).length > 0
      ? [paint("yellow", `~ app ${plan.appId}`), ...fields(plan.app)]
      : []),
    ...plan.created.map(({ name, schedule, timezone }) =>
      paint("green", `+ ${name}  ${schedule}  ${timezone}`),
    ),
    ...plan.updated.flatMap(({ name, changes }) => [
      paint("yellow", `~ ${name}`),
      ...fields(changes),
    ]),
    ...plan.deleted.map((name) => paint("red", `- ${name}`)),
  ];
  const counts = `${plan.created.length} to create, ${plan.updated.length} to change, ${plan.deleted.length} to delete, ${plan.unchanged.length} unchanged`;
  return [...lines, `app ${plan.appId}: ${counts}. A dry run: nothing was changed.`].join("\n");
}

const value = (what: unknown) => (what === undefined ? "nothing" : oneLine(JSON.stringify(what)));
