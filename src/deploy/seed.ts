import { beginSeed } from "../db/apps.js";
import type { Sql } from "../db/connect.js";
import { syncManifest, type SyncResult } from "../db/crons.js";
import { Transactions } from "../db/transactions.js";
import { inFile, loadSeed } from "../manifest/seed.js";

/**
 * Installs the apps of a file in a database that has none and was never seeded before; all or none,
 * and by one of those who try at once. What was done, or undefined where there was nothing to do:
 * the file is not even read then.
 *
 * @throws CarillonError naming the file and every field at fault
 */
export async function seedFrom(sql: Sql, file: string): Promise<SyncResult[] | undefined> {
  await using transactions = new Transactions(sql, 1);
  return transactions.run(async (tx) => {
    if (!(await beginSeed(tx))) return undefined;
    const done: SyncResult[] = [];
    for (const { id, manifest, path } of await loadSeed(file)) {
      try {
        done.push(await syncManifest(tx, id, manifest, null));
      } catch (error) {
        throw inFile(file, error, path);
      }
    }
    return done;
  });
}
