import { CommanderError } from "commander";
import { CarillonApiError } from "../client/index.js";
import { CarillonError } from "../errors.js";
import { plain } from "./output/text.js";

/** Tells a person what went wrong, which field is at fault, and what would mend it. */
export function complain(error: unknown, say: (line: string) => void): void {
  // Commander has said it already.
  if (error instanceof CommanderError) return;
  const message = error instanceof Error ? error.message : String(error);
  say(`carillon: ${plain(message)}`);
  if (!(error instanceof CarillonError || error instanceof CarillonApiError)) return;
  for (const field of error.fields) {
    if (!message.includes(field.field)) say(`  field: ${field.field}: ${plain(field.message)}`);
  }
  const rule = error instanceof CarillonError ? error.detail : error.rule;
  if (rule) say(`  rule: ${plain(rule)}`);
  if (error.hint) say(`  hint: ${plain(error.hint)}`);
  if (error instanceof CarillonApiError) {
    if (error.requestId && error.status >= 500) say(`  request: ${plain(error.requestId)}`);
    return;
  }
  // What the server said is for whoever runs the command, as it is not for a client of the API.
  if (/^(internal|database_unavailable)$/.test(error.code) && error.cause instanceof Error) {
    say(`  cause: ${error.cause.message}`);
  }
}
