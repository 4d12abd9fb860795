import { readFile } from "node:fs/promises";
import { CarillonError } from "../errors.js";
import { readStdin } from "./stdin.js";

/**
 * The fields in a file of YAML or JSON (`-`: the standard input); none without a file.
 *
 * @throws CarillonError `invalid_input`
 */
export async function fieldsIn(file: string | undefined): Promise<Record<string, unknown>> {
  if (file === undefined) return {};
  // Most commands have no file, and no use for a parser.
  const { parse } = await import("yaml");
  const text = file === "-" ? readStdin() : await read(file);
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CarillonError("invalid_input", `${file} is not YAML: ${why}`, { cause });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new CarillonError("invalid_input", `${file} does not hold an object`);
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new CarillonError("invalid_input", `cannot read ${file}`, { cause });
  }
}
