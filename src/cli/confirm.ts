import { createInterface } from "node:readline/promises";
import { CarillonError } from "../errors.js";

/** Asks before what cannot be undone; where nobody can be asked, --yes has to be given. */
export async function confirm(question: string, options: { yes?: true }): Promise<boolean> {
  if (options.yes) return true;
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new CarillonError("invalid_input", `${question} Nobody can be asked here.`, {
      hint: "give --yes",
    });
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
}
