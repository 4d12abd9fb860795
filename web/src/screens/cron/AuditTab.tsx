import { useInfiniteQuery } from "@tanstack/react-query";
import type { Cron } from "carillon/client";
import { AUDIT_HEAD, AuditRow } from "../../audit/AuditRow.js";
import type { AuditEntry } from "../../audit/changes.js";
import { useLiveOptions } from "../../live/live.js";
import { Card } from "../../parts/Page.js";
import { EmptyState, ErrorState, Loading } from "../../parts/States.js";
import { More, Table } from "../../parts/Table.js";
import { cronAuditQuery } from "./queries.js";

/** Who changed the cron, when, from where, and what. */
export function AuditTab({ cron }: { cron: Cron }) {
  const query = useInfiniteQuery({ ...cronAuditQuery(cron), ...useLiveOptions(15_000) });
  const entries = query.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <Card flush>
      {query.data === undefined ? (
        query.error === null ? (
          <Loading />
        ) : (
          <ErrorState error={query.error} onRetry={() => void query.refetch()} />
        )
      ) : entries.length === 0 ? (
        <EmptyState title="Nothing on record">
          It was made before the audit log, or its entries have been trimmed.
        </EmptyState>
      ) : (
        <Table cards caption={`Changes of ${cron.name}, newest first`} head={AUDIT_HEAD}>
          {entries.map((entry) => (
            <AuditRow
              key={entry.id}
              entry={comparable(entry)}
              most={Infinity}
              zone={cron.timezone}
            />
          ))}
        </Table>
      )}
      <More query={query} what="changes" />
    </Card>
  );
}

/** What is new has no values to compare with: its creation is told by its verb. */
const comparable = (entry: AuditEntry): AuditEntry =>
  entry.before === null || entry.after === null ? { ...entry, before: null, after: null } : entry;
