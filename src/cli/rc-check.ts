import { parse } from "yaml";
import { z } from "zod";
import { CarillonError } from "../errors.js";
import { parseInput } from "../schedules/parse-input.js";

const Rc = z.strictObject({
  url: z.string().optional(),
  key: z.string().optional(),
  app: z.string().optional(),
});
export type Rc = z.output<typeof Rc>;

/**
 * What the text of a .carillonrc holds.
 *
 * @throws CarillonError `invalid_config`
 */
export function checkRc(text: string, file: string): Rc {
  try {
    return parseInput(Rc, parse(text) ?? {}, file);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CarillonError("invalid_config", `${file}: ${why}`, {
      cause,
      hint: "it may hold url, key and app",
    });
  }
}
