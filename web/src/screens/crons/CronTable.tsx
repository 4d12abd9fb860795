import { useCallback, useEffect, useMemo, useRef } from "react";
import type { CronOrder, CronSummary } from "../../crons/types.js";
import { PickAll, Table, Th } from "../../parts/Table.js";
import { CronRow } from "./CronRow.js";
import styles from "./crons.module.css";
import { useVirtualRows } from "./use-virtual-rows.js";

interface CronTableProps {
  crons: readonly CronSummary[];
  order: CronOrder;
  onOrder: (order: CronOrder) => void;
  selected: ReadonlySet<string>;
  onSelect: (selected: ReadonlySet<string>) => void;
}

const ROW = 61;
const COLUMNS = 8;

export function CronTable({ crons, order, onOrder, selected, onSelect }: CronTableProps) {
  const all = crons.length > 0 && crons.every(({ cron }) => selected.has(cron.id));
  const sortBy = (one: CronOrder) => ({
    sort: order === one ? ("ascending" as const) : ("none" as const),
    onSort: () => onOrder(order === one ? "attention" : one),
  });
  const select = useSelect(selected, onSelect);
  const body = useRef<HTMLTableSectionElement>(null);
  const keys = useMemo(() => crons.map(({ cron }) => cron.id), [crons]);
  const rows = useVirtualRows(body, keys, ROW);
  const shown = rows.items?.map(({ index }) => index) ?? crons.map((_, index) => index);
  return (
    <div className={styles.table}>
      <Table
        caption="Crons"
        cards
        rows={rows.items && crons.length + 1}
        body={body}
        head={
          <>
            <PickAll
              label="Select all shown"
              checked={all}
              onChange={(on) => onSelect(new Set(on ? keys : []))}
            />
            <Th width="22%" {...sortBy("name")}>
              Cron
            </Th>
            <Th>Schedule</Th>
            <Th width="11rem">Last 30 slots</Th>
            <Th width="7.5rem" {...sortBy("last")}>
              Last
            </Th>
            <Th width="9.5rem" {...sortBy("next")}>
              Next
            </Th>
            <Th right width="7rem">
              Usually takes
            </Th>
            <Th hidden width="3.5rem">
              Actions
            </Th>
          </>
        }
      >
        <Spacer height={rows.above} />
        {shown.map((index) => {
          const summary = crons[index];
          return (
            summary && (
              <CronRow
                key={summary.cron.id}
                summary={summary}
                selected={selected.has(summary.cron.id)}
                onSelect={select}
                {...(rows.items && { place: index, measure: rows.measure })}
              />
            )
          );
        })}
        <Spacer height={rows.below} />
      </Table>
    </div>
  );
}

/** One function for all rows, whatever is selected: a row is drawn anew only when it differs. */
function useSelect(selected: ReadonlySet<string>, onSelect: (next: ReadonlySet<string>) => void) {
  const now = useRef({ selected, onSelect });
  useEffect(() => {
    now.current = { selected, onSelect };
  }, [selected, onSelect]);
  return useCallback((id: string, on: boolean) => {
    const next = new Set(now.current.selected);
    if (on) next.add(id);
    else next.delete(id);
    now.current.onSelect(next);
  }, []);
}

/** Where rows would be that are out of sight. */
function Spacer({ height }: { height: number }) {
  if (height <= 0) return null;
  return (
    <tr aria-hidden="true" className={styles.spacer}>
      <td colSpan={COLUMNS} style={{ height }} />
    </tr>
  );
}
