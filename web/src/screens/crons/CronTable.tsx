import type { CronOrder, CronSummary } from "../../crons/types.js";
import { Table, Th } from "../../parts/Table.js";
import { CronRow } from "./CronRow.js";
import styles from "./crons.module.css";

interface CronTableProps {
  crons: readonly CronSummary[];
  order: CronOrder;
  onOrder: (order: CronOrder) => void;
  selected: ReadonlySet<string>;
  onSelect: (selected: ReadonlySet<string>) => void;
}

export function CronTable({ crons, order, onOrder, selected, onSelect }: CronTableProps) {
  const all = crons.length > 0 && crons.every(({ cron }) => selected.has(cron.id));
  const sortBy = (one: CronOrder) => ({
    sort: order === one ? ("ascending" as const) : ("none" as const),
    onSort: () => onOrder(order === one ? "attention" : one),
  });
  const select = (id: string, on: boolean) => {
    const next = new Set(selected);
    if (on) next.add(id);
    else next.delete(id);
    onSelect(next);
  };
  return (
    <div className={styles.table}>
      <Table
        caption="Crons"
        head={
          <>
            <th scope="col" className={styles.pick}>
              <input
                type="checkbox"
                aria-label="Select all shown"
                checked={all}
                onChange={() => onSelect(new Set(all ? [] : crons.map(({ cron }) => cron.id)))}
              />
            </th>
            <Th width="21%" {...sortBy("name")}>
              Cron
            </Th>
            <Th>Schedule</Th>
            <Th width="11.5rem">Last 30 slots</Th>
            <Th width="8rem" {...sortBy("last")}>
              Last
            </Th>
            <Th width="10.5rem" {...sortBy("next")}>
              Next
            </Th>
            <Th right width="8.5rem">
              Usually takes
            </Th>
            <Th hidden width="3.5rem">
              Actions
            </Th>
          </>
        }
      >
        {crons.map((summary) => (
          <CronRow
            key={summary.cron.id}
            summary={summary}
            selected={selected.has(summary.cron.id)}
            onSelect={select}
          />
        ))}
      </Table>
    </div>
  );
}
