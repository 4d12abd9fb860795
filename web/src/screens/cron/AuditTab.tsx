import { useInfiniteQuery } from "@tanstack/react-query";
import type { Cron } from "carillon/client";
import { useLiveOptions } from "../../live/live.js";
import { Card, Chip } from "../../parts/Page.js";
import { EmptyState, ErrorState, Loading } from "../../parts/States.js";
import { More, Table, Th } from "../../parts/Table.js";
import { Time } from "../../time/Time.js";
import { changedFields } from "./changes.js";
import styles from "./cron.module.css";
import type { AuditEntry } from "./fold.js";
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
        <Table
          caption={`Changes of ${cron.name}, newest first`}
          head={
            <>
              <Th width="11rem">When</Th>
              <Th>Who</Th>
              <Th>What</Th>
              <Th>Changed</Th>
            </>
          }
        >
          {entries.map((entry) => (
            <Entry key={entry.id} entry={entry} zone={cron.timezone} />
          ))}
        </Table>
      )}
      <More query={query} what="changes" />
    </Card>
  );
}

function Entry({ entry, zone }: { entry: AuditEntry; zone: string }) {
  const { at, actor, via, keyPrefix, action, reason, before, after } = entry;
  // What is new has no values to compare with: its creation is told by its verb.
  const fields = before === null || after === null ? [] : changedFields(before, after);
  return (
    <tr className={styles.top}>
      <td>
        <Time at={at} zone={zone} seconds />
      </td>
      <td>
        {actor.name} <span className="muted small">{keyPrefix ? `key ${keyPrefix}…` : via}</span>
      </td>
      <td>
        <Chip>{action}</Chip>
        {reason && (
          <p dir="auto">
            <q>{reason}</q>
          </p>
        )}
      </td>
      <td>
        <dl className={styles.diff}>
          {fields.map(({ field, from, to }) => (
            <div key={field}>
              <dt>{field}</dt>
              <dd>
                <del>{from}</del> <ins>{to}</ins>
              </dd>
            </div>
          ))}
        </dl>
      </td>
    </tr>
  );
}
