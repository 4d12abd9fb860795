import { z } from "zod";
import { beginSeed } from "../db/apps.js";
import type { Queryable, Sql } from "../db/connect.js";
import { syncManifest, type SyncResult } from "../db/crons.js";
import { Transactions } from "../db/transactions.js";
import { CarillonError, type FieldError } from "../errors.js";
import { readValue } from "../manifest/load.js";
import { Manifest } from "../manifest/schema.js";
import { invalidInput, parseInput } from "../schedules/parse-input.js";

/** Several manifests in one file. */
const Several = z.strictObject({ apps: z.array(Manifest).min(1).max(1000) });

/** A manifest that says whose it is, and where in its file it stands: `apps[1].`, or nothing. */
interface SeedApp {
  readonly id: string;
  readonly manifest: Manifest;
  readonly path: string;
}

/**
 * Installs the apps of a file, a manifest or several under `apps`, in a database that has none and
 * was never seeded before; all or none, and by one of those who try at once. What was done, or
 * undefined where there was nothing to do: the file is not read then.
 *
 * @throws CarillonError naming the file and every field at fault
 */
export async function seedFrom(sql: Sql, file: string): Promise<SyncResult[] | undefined> {
  await using transactions = new Transactions(sql, 1);
  return transactions.run(async (tx) => {
    if (!(await beginSeed(tx))) return undefined;
    const done: SyncResult[] = [];
    for (const app of await readSeed(file)) done.push(await install(tx, app, file));
    return done;
  });
}

/** The apps of a seed, in its order. */
async function readSeed(file: string): Promise<SeedApp[]> {
  const value = await readValue(file);
  try {
    const isSeveral = typeof value === "object" && value !== null && "apps" in value;
    const manifests = isSeveral
      ? parseInput(Several, value, "seed").apps
      : [parseInput(Manifest, value, "manifest")];
    return named(manifests, (at) => (isSeveral ? `apps[${at}].` : ""));
  } catch (error) {
    throw of(file, error);
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

async function install(tx: Queryable, { id, manifest, path }: SeedApp, file: string) {
  try {
    return await syncManifest(tx, id, manifest, null);
  } catch (error) {
    throw of(file, error, path);
  }
}

/** The same error, told of the file and of the place in it. */
function of(file: string, error: unknown, path = ""): unknown {
  if (!(error instanceof CarillonError)) return error;
  const { code, message, fields, detail, hint } = error;
  return new CarillonError(code, `${file}: ${path}${message}`, {
    fields: fields.map((fault) => ({ ...fault, field: `${path}${fault.field}` })),
    ...(detail === undefined ? {} : { detail }),
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  });
}
