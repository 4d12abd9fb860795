import { readFile } from "node:fs/promises";
import { parse, YAMLParseError } from "yaml";
import { CarillonError } from "../errors.js";
import { parseInput } from "../schedules/parse-input.js";
import { Manifest } from "./schema.js";

/**
 * Reads a manifest file, JSON or YAML by its name's ending, and checks it as a whole.
 *
 * @throws CarillonError `invalid_input` naming every field at fault
 */
export async function loadManifest(file: string): Promise<Manifest> {
  return parseManifest(await readText(file), file);
}

/**
 * What a file of JSON or YAML holds, by its name's ending.
 *
 * @throws CarillonError `invalid_input`
 */
export async function readValue(file: string): Promise<unknown> {
  return toValue(await readText(file), file);
}

/** Checks the text of a manifest. */
export function parseManifest(text: string, file: string): Manifest {
  return parseInput(Manifest, toValue(text, file), "manifest");
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
