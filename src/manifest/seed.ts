import { z } from "zod";
import { CarillonError, type FieldError } from "../errors.js";
import { invalidInput, parseInput } from "../schedules/parse-input.js";
import { readValue } from "./load.js";
import { Manifest } from "./schema.js";

/** Several manifests in one file. */
const Several = z.strictObject({ apps: z.array(Manifest).min(1).max(1000) });

/** A manifest that says whose it is, and where in its file it stands: `apps[1].`, or nothing. */
export interface SeedApp {
  readonly id: string;
  readonly manifest: Manifest;
  readonly path: string;
}

/**
 * The apps of a file, a manifest or several under `apps`, in its order.
 *
 * @throws CarillonError `invalid_input` naming the file and every field at fault
 */
export async function loadSeed(file: string): Promise<SeedApp[]> {
  const value = await readValue(file);
  try {
    const isSeveral = typeof value === "object" && value !== null && "apps" in value;
    const manifests = isSeveral
      ? parseInput(Several, value, "seed").apps
      : [parseInput(Manifest, value, "manifest")];
    return named(manifests, (at) => (isSeveral ? `apps[${at}].` : ""));
  } catch (error) {
    throw inFile(file, error);
  }
}

function named(manifests: readonly Manifest[], pathOf: (at: number) => string): SeedApp[] {
  const faults: FieldError[] = [];
  const apps = new Map<string, SeedApp>();
  for (const [at, manifest] of manifests.entries()) {
    const [path, { id }] = [pathOf(at), manifest];
    if (id === undefined) faults.push({ field: `${path}id`, message: "is required in a seed" });
    else if (apps.has(id)) faults.push({ field: `${path}id`, message: `is given twice: ${id}` });
    else apps.set(id, { id, manifest, path });
  }
  if (faults.length > 0) throw invalidInput(faults);
  return [...apps.values()];
}

/** The same error, told of a file and of the place in it. */
export function inFile(file: string, error: unknown, path = ""): unknown {
  if (!(error instanceof CarillonError)) return error;
  const { code, message, fields, detail, hint } = error;
  return new CarillonError(code, `${file}: ${path}${message}`, {
    fields: fields.map((fault) => ({ ...fault, field: `${path}${fault.field}` })),
    ...(detail === undefined ? {} : { detail }),
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  });
}
