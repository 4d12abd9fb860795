import { CommanderError } from "commander";
import { CarillonApiError, CarillonConnectionError } from "../client/index.js";
import { CarillonError } from "../errors.js";

/** How a command ends; docs/cli.md has the same list. */
export const EXIT = {
  ok: 0,
  /** It failed, or what it waited for did. */
  failure: 1,
  /** It was called wrongly, or what it was given is not valid. */
  usage: 2,
  /** What it is about is not there, or not for the caller. */
  refused: 3,
  /** Something else is in the way: a name taken, a job in another state, a newer version. */
  conflict: 4,
  /** Nobody answered: trying again later may help. */
  unavailable: 5,
} as const;

const USAGE = new Set([400, 405, 413, 415, 422]);
const UNAVAILABLE = new Set([408, 429, 502, 503, 504]);

/** The exit code for what a command threw. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof CarillonConnectionError) return EXIT.unavailable;
  if (!(error instanceof CarillonApiError || error instanceof CarillonError)) return EXIT.failure;
  const { status, code } = error;
  if (code === "invalid_config") return EXIT.usage;
  // 400 where the RootCX API answers that.
  if (code === "name_taken" || status === 409 || status === 412) return EXIT.conflict;
  if ([401, 403, 404].includes(status)) return EXIT.refused;
  if (USAGE.has(status)) return EXIT.usage;
  return UNAVAILABLE.has(status) ? EXIT.unavailable : EXIT.failure;
}
