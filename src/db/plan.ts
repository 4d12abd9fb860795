import { getApp, listApps, type AppRow } from "./apps.js";
import type { Sql } from "./connect.js";
import { listCrons, syncManifest, type CronRow, type SyncResult } from "./crons.js";
import { Transactions } from "./transactions.js";

/** What a deploy would do, and what it would change that from. */
export interface Rehearsal {
  result: SyncResult;
  appBefore: AppRow | undefined;
  appAfter: AppRow;
  before: CronRow[];
  after: CronRow[];
}

/** Thrown to take everything back. */
class TakenBack extends Error {
  readonly rehearsal: Rehearsal;

  constructor(rehearsal: Rehearsal) {
    super("taken back");
    this.rehearsal = rehearsal;
  }
}

/** Deploys a manifest in a transaction that is rolled back: by the very rules, and without a trace. */
export async function rehearseManifest(
  sql: Sql,
  appId: string,
  manifest: object,
): Promise<Rehearsal> {
  await using transactions = new Transactions(sql, 1);
  try {
    await transactions.run(async (tx) => {
      const appBefore = (await listApps(tx)).find(({ id }) => id === appId);
      const before = appBefore === undefined ? [] : await listCrons(tx, appId);
      const result = await syncManifest(tx, appId, manifest, null);
      const after = await listCrons(tx, appId);
      throw new TakenBack({ result, appBefore, appAfter: await getApp(tx, appId), before, after });
    });
  } catch (error) {
    if (error instanceof TakenBack) return error.rehearsal;
    throw error;
  }
  throw new Error("a rehearsal is never committed");
}
