import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { CarillonError } from "../errors.js";
import type { Rc } from "./rc-check.js";

/** A .carillonrc: YAML, and so JSON as well. */
export interface RcFile extends Rc {
  file: string;
  /** One's own, not that of a folder one happens to stand in. */
  own: boolean;
}

const NAME = ".carillonrc";
/** Read by the file's group, or by everybody. */
const READ_BY_OTHERS = 0o044;

/** The settings files there are: CARILLON_RC alone, or that of this folder before that at home. */
export async function readRcFiles(
  env: NodeJS.ProcessEnv,
  warn: (line: string) => void,
): Promise<RcFile[]> {
  const given = env.CARILLON_RC;
  if (given) return [(await readRc(given, true, warn, true)) ?? []].flat();
  const home = join(env.HOME ?? homedir(), NAME);
  const places = new Map([
    [resolve(NAME), false],
    [home, true],
  ]);
  const files: RcFile[] = [];
  for (const [file, own] of places) {
    const rc = await readRc(file, own, warn);
    if (rc !== undefined) files.push(rc);
  }
  return files;
}

/** Undefined where there is none: only the file that CARILLON_RC names has to be there. */
async function readRc(
  file: string,
  own: boolean,
  warn: (line: string) => void,
  required = false,
): Promise<RcFile | undefined> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    if (!required && (cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new CarillonError("invalid_config", `cannot read ${file}`, { cause });
  }
  // Where there is none, nothing that reads one is loaded.
  const { checkRc } = await import("./rc-check.js");
  const rc = { ...checkRc(text, file), file, own };
  if (rc.key !== undefined && (statSync(file).mode & READ_BY_OTHERS) !== 0) {
    warn(
      `carillon: warning: ${file} holds a key and others can read it; mend that by: chmod 600 ${file}`,
    );
  }
  return rc;
}
