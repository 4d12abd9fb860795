import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { CarillonError } from "../errors.js";
import type { AppliedMigration } from "../db/schema.js";

/** The folder graphile-migrate reads: sql/ of the project, or of the installed package. */
export const MIGRATIONS_FOLDER = fileURLToPath(new URL("../../sql", import.meta.url));

/** A committed migration of ours. */
export interface CommittedMigration extends AppliedMigration {
  body: string;
}

/** Our committed migrations, oldest first. */
export async function committedMigrations(): Promise<CommittedMigration[]> {
  const folder = `${MIGRATIONS_FOLDER}/committed`;
  const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
  return await Promise.all(
    names.map(async (filename) => {
      const text = await readFile(`${folder}/${filename}`, "utf8");
      const hash = /^--! Hash: (\S+)$/m.exec(text)?.[1];
      if (hash === undefined) throw new Error(`${filename} has no hash`);
      return { filename, hash, body: text.replace(/^--! (?:Previous|Hash|Message).*\n/gm, "") };
    }),
  );
}

/**
 * graphile-migrate keeps one tracker per database, whoever's migrations it holds, and would take
 * another project's for ours and install nothing. So what is applied must be a beginning of ours.
 *
 * @throws CarillonError `foreign_migrations`
 */
export function checkTracker(
  applied: readonly AppliedMigration[],
  ours: readonly CommittedMigration[],
): void {
  const stranger = applied.find((row, at) => {
    const expected = ours[at];
    return expected !== undefined && expected.hash !== row.hash;
  });
  if (stranger) {
    throw new CarillonError(
      "foreign_migrations",
      `this database's graphile_migrate tracker holds another project's migrations (${stranger.filename})`,
      {
        hint: "give Carillon a database of its own, or install by plain SQL: carillon migrate --print",
      },
    );
  }
  const newer = applied[ours.length];
  if (newer) {
    throw new CarillonError(
      "foreign_migrations",
      `this database is ahead of this version of Carillon (it has ${newer.filename})`,
      { hint: "install a newer version of Carillon" },
    );
  }
}
