import type { Output } from "carillon/client";
import type { LedgerRow } from "./queries.js";

export type AuditEntry = Output<"GET /api/v1/apps/{appId}/crons/{id}/audit">["items"][number];

/** A line of the ledger as it is shown. */
export type LedgerEntry =
  | { kind: "slot"; row: LedgerRow }
  | { kind: "fold"; rows: LedgerRow[] }
  | { kind: "change"; change: AuditEntry };

/** Slots that made no job and are alike: so many in a row become one line. */
const FOLD_FROM = 4;

const QUIET = new Set(["skipped", "missed", "denied"]);

const alike = (a: LedgerRow, b: LedgerRow) =>
  QUIET.has(a.tick.outcome) &&
  a.tick.outcome === b.tick.outcome &&
  a.tick.blockedBy === b.tick.blockedBy &&
  withoutNumbers(a.tick.reason) === withoutNumbers(b.tick.reason);

/** How long a job has been running differs from slot to slot, and is the same reason. */
const withoutNumbers = (reason: string | null) => (reason ?? "").replace(/\d+/g, "#");

/**
 * The ledger newest first, with what was done to the cron between its slots.
 *
 * @param changes newest first; those older than the last row come when its slots do
 */
export function foldLedger(
  rows: readonly LedgerRow[],
  changes: readonly AuditEntry[],
): LedgerEntry[] {
  const entries: LedgerEntry[] = [];
  const waiting = [...changes];
  let run: LedgerRow[] = [];
  const settle = () => {
    if (run.length >= FOLD_FROM) entries.push({ kind: "fold", rows: run });
    else entries.push(...run.map((row) => ({ kind: "slot" as const, row })));
    run = [];
  };
  for (const row of rows) {
    for (let next = waiting[0]; next && next.at > row.tick.decidedAt; next = waiting[0]) {
      settle();
      entries.push({ kind: "change", change: next });
      waiting.shift();
    }
    const [first] = run;
    if (first !== undefined && !alike(first, row)) settle();
    run.push(row);
  }
  settle();
  return entries;
}
