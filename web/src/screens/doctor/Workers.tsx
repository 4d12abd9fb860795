import { Card, Chip } from "../../parts/Page.js";
import { EmptyState } from "../../parts/States.js";
import { Table, Th } from "../../parts/Table.js";
import { count } from "../../time/format.js";
import { Ago } from "../../time/Time.js";
import type { Worker } from "./checks.js";
import styles from "./doctor.module.css";

/** Every worker and dispatcher that is there, idle ones too; first those that went without a word. */
export function Workers({ workers }: { workers: readonly Worker[] }) {
  const sorted = [...workers].sort((a, b) => Number(a.there) - Number(b.there));
  const lost = workers.filter(({ there }) => !there).length;
  return (
    <Card
      title="Workers and dispatchers"
      aside={`${count(workers.length - lost)} there${lost === 0 ? "" : `, ${count(lost)} silent`}`}
      flush
    >
      {workers.length === 0 ? (
        <EmptyState title="No worker is there">
          Jobs wait until one is: <code>carillon worker</code> runs one.
        </EmptyState>
      ) : (
        <Table
          caption="Workers and dispatchers, silent ones first"
          least="52rem"
          cards
          head={
            <>
              <Th>Worker</Th>
              <Th>Takes jobs of</Th>
              <Th right>Running</Th>
              <Th>Last heard of</Th>
              <Th>Began</Th>
              <Th>Where</Th>
            </>
          }
        >
          {sorted.map((worker) => (
            <Row key={`${worker.worker} ${worker.startedAt}`} worker={worker} />
          ))}
        </Table>
      )}
    </Card>
  );
}

function Row({ worker: one }: { worker: Worker }) {
  return (
    <tr>
      <td>
        <code>{one.worker}</code> {one.kind === "dispatcher" && <Chip>dispatcher</Chip>}
      </td>
      <td data-label="Takes jobs of">{one.apps === null ? "all apps" : one.apps.join(", ")}</td>
      <td data-label="Running" data-right>
        {count(one.running)} of {count(one.concurrency)}
      </td>
      <td data-label="Last heard of" className={one.there ? undefined : styles.lost}>
        <Ago at={one.lastSeenAt} />
        {!one.there && ", and did not stop"}
      </td>
      <td data-label="Began">
        <Ago at={one.startedAt} />
      </td>
      <td data-label="Where">
        {one.host}{" "}
        <span className="muted small">
          process {one.pid} · Carillon {one.version}
        </span>
      </td>
    </tr>
  );
}
