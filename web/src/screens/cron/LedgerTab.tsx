import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type { CronSummary } from "../../crons/types.js";
import { useLiveOptions } from "../../live/live.js";
import { OUTCOMES } from "../../outcomes/outcomes.js";
import { OutcomeMark } from "../../outcomes/OutcomeMark.js";
import { Card } from "../../parts/Page.js";
import { EmptyState, ErrorState, Loading } from "../../parts/States.js";
import { More, Table, Th } from "../../parts/Table.js";
import { Time } from "../../time/Time.js";
import { useSearchState } from "../../url/use-search-state.js";
import styles from "./cron.module.css";
import { foldLedger } from "./fold.js";
import { AheadRows, LedgerRows } from "./LedgerRows.js";
import { cronAuditQuery, ledgerQuery, nextSlotsQuery } from "./queries.js";
import { cronSearch, TICK_OUTCOMES } from "./search.js";

/** Every decided slot, with its reason; what changed the cron stands between them. */
export function LedgerTab({ summary }: { summary: CronSummary }) {
  const { cron, can } = summary;
  const [{ outcome }, change] = useSearchState(cronSearch);
  const query = useInfiniteQuery({
    ...ledgerQuery(cron, outcome, can.includes("readJobs")),
    ...useLiveOptions(3000),
  });
  const { data: ahead } = useQuery({ ...nextSlotsQuery(cron, 3), enabled: cron.enabled });
  const { data: audit } = useInfiniteQuery({
    ...cronAuditQuery(cron),
    enabled: can.includes("readAudit") && outcome.length === 0,
  });
  const rows = query.data?.pages.flatMap((page) => page.rows) ?? [];
  const changes = outcome.length > 0 ? [] : (audit?.pages.flatMap(({ items }) => items) ?? []);
  return (
    <Card
      title="Ledger"
      aside={
        <div className={styles.outcomes} role="group" aria-label="Outcomes">
          {TICK_OUTCOMES.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={outcome.includes(one)}
              onClick={() =>
                change({
                  outcome: outcome.includes(one)
                    ? outcome.filter((other) => other !== one)
                    : [...outcome, one],
                })
              }
            >
              <OutcomeMark outcome={one === "failed" ? "undecided" : one} size={11} />
              {OUTCOMES[one === "failed" ? "undecided" : one].word}
            </button>
          ))}
        </div>
      }
      flush
    >
      {query.data === undefined ? (
        query.error === null ? (
          <Loading rows={10} />
        ) : (
          <ErrorState error={query.error} onRetry={() => void query.refetch()} />
        )
      ) : rows.length === 0 ? (
        <NoSlots summary={summary} filtered={outcome.length > 0} />
      ) : (
        <div className={styles.ledger}>
          <Table
            cards
            caption={`Ledger of ${cron.name}, newest first`}
            head={
              <>
                <Th width="12rem">Slot (due)</Th>
                <Th>Outcome and reason</Th>
                <Th right>Lag</Th>
                <Th>Decided by</Th>
                <Th right>Job</Th>
                <Th right>Waited</Th>
                <Th right>Ran</Th>
                <Th right>Attempts</Th>
              </>
            }
          >
            {cron.enabled && outcome.length === 0 && ahead && (
              <AheadRows cron={cron} slots={ahead.slots} />
            )}
            <LedgerRows cron={cron} entries={foldLedger(rows, changes)} />
          </Table>
        </div>
      )}
      <More query={query} what="slots" />
    </Card>
  );
}

function NoSlots({
  summary: { cron, next },
  filtered,
}: {
  summary: CronSummary;
  filtered: boolean;
}) {
  if (filtered) return <EmptyState title="No slot of this cron had such an outcome" />;
  return (
    <EmptyState title="No slot decided yet">
      {next === null ? (
        "None is ahead, either."
      ) : (
        <>
          The first is due <Time at={next} zone={cron.timezone} />. This page will show it by
          itself.
        </>
      )}
    </EmptyState>
  );
}
