import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { CarillonError } from "../errors.js";
import { parseInput } from "../schedules/parse-input.js";

const Rc = z.strictObject({
  url: z.string().optional(),
  key: z.string().optional(),
  app: z.string().optional(),
});

/** A .carillonrc: YAML, and so JSON as well. */
export interface RcFile extends z.output<typeof Rc> {
  file: string;
  /** One's own, not that of a folder one happens to stand in. */
  own: boolean;
}

const NAME = ".carillonrc";
/** Read by the file's group, or by everybody. */
const READ_BY_OTHERS = 0o044;

/** The settings files there are: CARILLON_RC alone, or that of this folder before that at home. */
export function readRcFiles(env: NodeJS.ProcessEnv, warn: (line: string) => void): RcFile[] {
  const given = env.CARILLON_RC;
  if (given) return [readRc(given, true, warn, true) ?? []].flat();
  const home = join(env.HOME ?? homedir(), NAME);
  const places = new Map([
    [resolve(NAME), false],
    [home, true],
  ]);
  return [...places].flatMap(([file, own]) => readRc(file, own, warn) ?? []);
}

/** Undefined where there is none: only the file that CARILLON_RC names has to be there. */
function readRc(
  file: string,
  own: boolean,
  warn: (line: string) => void,
  required = false,
): RcFile | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    if (!required && (cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new CarillonError("invalid_config", `cannot read ${file}`, { cause });
  }
  const rc = { ...check(text, file), file, own };
  if (rc.key !== undefined && (statSync(file).mode & READ_BY_OTHERS) !== 0) {
    warn(
      `carillon: warning: ${file} holds a key and others can read it; mend that by: chmod 600 ${file}`,
    );
  }
  return rc;
}

function check(text: string, file: string): z.output<typeof Rc> {
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
