import type { Cron, NewCron } from "carillon/client";
import { BASE } from "../config.js";
import { copyText } from "../parts/copy-text.js";
import { say } from "../parts/toasts.js";
import { newCron, problemsIn } from "./spec.js";
import { NOTHING, valuesOf } from "./values.js";

/** A cron as one would make it: what is set to other than its default. */
export function manifestEntry(cron: Cron): NewCron {
  const values = valuesOf(cron);
  const { name, schedule, ...rest } = newCron(values, NOTHING);
  // A number that the browser has rounded is shown as it came; to copy it is refused.
  const odd = problemsIn(values).payload === undefined ? {} : { payload: cron.payload };
  return { name, schedule, ...rest, ...odd };
}

/** The same in SQL. */
export function sqlOf(cron: Cron): string {
  const fields = Object.entries({ app: cron.appId, ...manifestEntry(cron) });
  const parameters = fields.map(([name, value]) => `  ${snake(name)} => ${sqlValue(value)}`);
  return `select carillon.create_cron(\n${parameters.join(",\n")}\n);`;
}

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function sqlValue(value: unknown): string {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return `array[${value.map(sqlValue).join(", ")}]`;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return `'${text.replaceAll("'", "''")}'`;
}

/** The same over HTTP, from a shell. */
export function curlOf(cron: Cron): string {
  const url = `${location.origin}${BASE.replace(/\/$/, "")}/api/v1/apps/${cron.appId}/crons`;
  return [
    `curl -X POST ${shellWord(url)}`,
    `  -H "Authorization: Bearer $CARILLON_KEY"`,
    `  -H 'Content-Type: application/json'`,
    `  -d ${shellWord(JSON.stringify(manifestEntry(cron), null, 2))}`,
  ].join(" \\\n");
}

const shellWord = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

const FORMS = {
  manifest: {
    text: (cron: Cron) => JSON.stringify(manifestEntry(cron), null, 2),
    done: "as it stands in a manifest",
  },
  sql: { text: sqlOf, done: "as SQL that makes it" },
  curl: { text: curlOf, done: "as a curl command that makes it" },
} as const;

export type SnippetForm = keyof typeof FORMS;

/** Puts a cron on the clipboard; where there is none, says it to be copied by hand. */
export async function copyAs(form: SnippetForm, cron: Cron): Promise<void> {
  const [problem] = Object.values(problemsIn(valuesOf(cron)));
  if (problem !== undefined) {
    say({ title: `${cron.name} cannot be copied from here`, detail: problem, failed: true });
    return;
  }
  const text = FORMS[form].text(cron);
  if (await copyText(text)) say({ title: `Copied ${cron.name} ${FORMS[form].done}` });
  else say({ title: "Copy it by hand", detail: text, failed: true });
}
