import { oneLine } from "../output/text.js";
import type { Imported } from "./types.js";

const MARK = { changed: "~", lost: "-", refused: "!" };

/** What will not be as it was, for people: first what is so for all, then cron by cron. */
export function reportText({ crons, differences }: Imported): string {
  const general = differences.filter(({ cron }) => cron === undefined);
  const names = [
    ...new Set(differences.map(({ cron }) => cron).filter((cron) => cron !== undefined)),
  ];
  const refused = differences.filter(({ kind }) => kind === "refused").length;
  return [
    `${crons.length} crons can be taken over${refused > 0 ? `, ${refused} cannot` : ""}`,
    "differences of meaning (~ changed, - lost, ! left out):",
    ...general.map(({ text }) => `  ~ ${text}`),
    ...names.flatMap((name) => [
      `  ${oneLine(name)}`,
      ...differences
        .filter(({ cron }) => cron === name)
        .map(({ kind, text }) => `    ${MARK[kind]} ${oneLine(text)}`),
    ]),
  ].join("\n");
}
