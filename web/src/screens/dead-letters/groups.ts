import type { DeadLetter } from "carillon/client";
import { firstLine } from "../../parts/ErrorLine.js";

/** Letters with one cause: of one app and cron, whose errors differ in numbers and names at most. */
export interface LetterGroup {
  key: string;
  appId: string;
  cronId: string | null;
  /** The error of the newest one, as it was thrown. */
  error: string;
  /** Newest first. */
  letters: DeadLetter[];
}

/** People mend causes, not messages: those with most letters come first. */
export function groupsOf(letters: readonly DeadLetter[]): LetterGroup[] {
  const groups = new Map<string, LetterGroup>();
  for (const letter of letters) {
    const { appId, cronId } = letter;
    const error = errorOf(letter);
    const key = JSON.stringify([appId, cronId, gist(error)]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { key, appId, cronId, error, letters: [letter] });
    else group.letters.push(letter);
  }
  return [...groups.values()].sort((a, b) => b.letters.length - a.letters.length);
}

export const errorOf = ({ attempts, reason }: DeadLetter): string =>
  firstLine(attempts.at(-1)?.error) || (reason ?? "unknown");

/** An error without what is of one time: quoted names, ids, numbers. */
const gist = (error: string): string =>
  error
    .replace(/"[^"]*"|'[^']*'/g, "…")
    .replace(/\b[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}\b/gi, "…")
    .replace(/\d+/g, "#");
