import { readFile } from "node:fs/promises";
import { parse, YAMLParseError } from "yaml";
import { CarillonError } from "../errors.js";
import { Manifest } from "./schema.js";

/**
 * Reads a manifest file, JSON or YAML by its name's ending, and checks it as a whole.
 *
 * @throws CarillonError `invalid_input` naming every field at fault
 */
export async function loadManifest(file: string): Promise<Manifest> {
  return parseManifest(await readText(file), file);
}

/** Checks the text of a manifest. */
export function parseManifest(text: string, file: string): Manifest {
  const parsed = Manifest.safeParse(toValue(text, file));
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => ({
    field: fieldPath(issue.path) || "manifest",
    message: issue.message,
  }));
  throw new CarillonError("invalid_input", `${file} is not a valid manifest`, { fields });
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new CarillonError("invalid_input", `cannot read ${file}`, { cause });
  }
}

function toValue(text: string, file: string): unknown {
  try {
    return /\.ya?ml$/i.test(file) ? parse(text) : JSON.parse(text);
  } catch (cause) {
    const where = cause instanceof YAMLParseError ? "YAML" : "JSON";
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new CarillonError("invalid_input", `${file} is not ${where}: ${detail}`, { cause });
  }
}

/** A zod path in API spelling: `crons[2].schedule`. */
function fieldPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((whole, part) => {
    if (typeof part === "number") return `${whole}[${part}]`;
    return whole === "" ? String(part) : `${whole}.${String(part)}`;
  }, "");
}
