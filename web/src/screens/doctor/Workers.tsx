import { Card } from "../../parts/Page.js";
import { EmptyState } from "../../parts/States.js";
import { Table, Th } from "../../parts/Table.js";
import { count } from "../../time/format.js";
import { Ago } from "../../time/Time.js";
import type { Queue, Worker } from "./checks.js";

interface WorkersProps {
  queues: readonly Queue[];
  workers: readonly Worker[];
}

/** What waits in each app, and who works on it. */
export function Workers({ queues, workers }: WorkersProps) {
  const apps = [...new Set([...queues, ...workers].map(({ appId }) => appId))].sort();
  return (
    <Card
      title="Workers and queues"
      aside="workers with jobs running; all of them: carillon workers"
      flush
    >
      {apps.length === 0 ? (
        <EmptyState good title="Nothing waits, and nothing runs" />
      ) : (
        <Table
          caption="Apps with jobs waiting or running"
          least="44rem"
          head={
            <>
              <Th>App</Th>
              <Th right>Due, waiting</Th>
              <Th>The oldest was due</Th>
              <Th right>Running</Th>
              <Th>Workers at work</Th>
            </>
          }
        >
          {apps.map((appId) => (
            <Row
              key={appId}
              appId={appId}
              queue={queues.find((one) => one.appId === appId)}
              workers={workers.filter((one) => one.appId === appId)}
            />
          ))}
        </Table>
      )}
    </Card>
  );
}

interface RowProps {
  appId: string;
  queue: Queue | undefined;
  workers: readonly Worker[];
}

function Row({ appId, queue, workers }: RowProps) {
  const { due, oldestDueAt = null, running = 0 } = queue ?? {};
  return (
    <tr>
      <td>
        <strong>{appId}</strong>
      </td>
      <td data-right>
        {count(due?.count ?? 0)}
        {due?.capped === true && "+"}
      </td>
      <td>{oldestDueAt === null ? <span className="muted">—</span> : <Ago at={oldestDueAt} />}</td>
      <td data-right>{count(running)}</td>
      <td>
        {workers.length === 0 && <span className="muted">none</span>}
        {workers.map(({ worker, running: jobs, since }) => (
          <p key={worker}>
            <code>{worker}</code>{" "}
            <span className="muted small">
              {count(jobs)} running, the oldest began <Ago at={since} />
            </span>
          </p>
        ))}
      </td>
    </tr>
  );
}
