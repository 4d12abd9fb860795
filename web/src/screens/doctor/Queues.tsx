import { Card } from "../../parts/Page.js";
import { EmptyState } from "../../parts/States.js";
import { Table, Th } from "../../parts/Table.js";
import { count } from "../../time/format.js";
import { Ago } from "../../time/Time.js";
import type { Queue } from "./checks.js";

/** What waits and runs in each app. */
export function Queues({ queues }: { queues: readonly Queue[] }) {
  const apps = [...queues].sort((a, b) => a.appId.localeCompare(b.appId));
  return (
    <Card title="Queues" flush>
      {apps.length === 0 ? (
        <EmptyState good title="Nothing waits, and nothing runs" />
      ) : (
        <Table
          caption="Apps with jobs waiting or running"
          cards
          head={
            <>
              <Th>App</Th>
              <Th right>Due, waiting</Th>
              <Th>The oldest was due</Th>
              <Th right>Running</Th>
            </>
          }
        >
          {apps.map(({ appId, due, oldestDueAt, running }) => (
            <tr key={appId}>
              <td>
                <strong>{appId}</strong>
              </td>
              <td data-label="Due, waiting" data-right>
                {count(due.count)}
                {due.capped && "+"}
              </td>
              <td data-label="The oldest was due">
                {oldestDueAt === null ? <span className="muted">—</span> : <Ago at={oldestDueAt} />}
              </td>
              <td data-label="Running" data-right>
                {count(running)}
              </td>
            </tr>
          ))}
        </Table>
      )}
    </Card>
  );
}
