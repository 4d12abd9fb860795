import type { Cron } from "carillon/client";
import { useLive } from "../../live/live.js";
import { Card } from "../../parts/Page.js";
import { EmptyState, Loadable } from "../../parts/States.js";
import { Table, Th } from "../../parts/Table.js";
import { Time } from "../../time/Time.js";
import { runsQuery } from "./queries.js";

/** How pg_cron woke this cron, and what came of each wake. */
export function RunsTab({ cron }: { cron: Cron }) {
  const query = useLive(runsQuery(cron), 10_000);
  return (
    <Card flush>
      <Loadable query={query}>
        {(runs) =>
          runs.length === 0 ? (
            <EmptyState title="pg_cron has not woken this cron">
              Its slots are decided by the ticker of a server or worker, or none was due yet.
            </EmptyState>
          ) : (
            <Table
              caption={`pg_cron's runs of ${cron.name}, newest first`}
              head={
                <>
                  <Th right width="6rem">
                    Run
                  </Th>
                  <Th>Woken</Th>
                  <Th>pg_cron says</Th>
                  <Th>Slot</Th>
                  <Th>What came of it</Th>
                  <Th right>Process</Th>
                </>
              }
            >
              {runs.map((run) => (
                <tr key={run.runid}>
                  <td data-right>{run.runid}</td>
                  <td>
                    {run.startTime && <Time at={run.startTime} zone={cron.timezone} seconds />}
                  </td>
                  <td>
                    {run.status}{" "}
                    <span className="muted small" dir="auto">
                      {run.returnMessage}
                    </span>
                  </td>
                  <td>{run.scheduledFor && <Time at={run.scheduledFor} zone={cron.timezone} />}</td>
                  <td>
                    {run.outcome?.replace("_", " ") ?? <span className="muted">not due</span>}
                  </td>
                  <td data-right>{run.jobPid}</td>
                </tr>
              ))}
            </Table>
          )
        }
      </Loadable>
    </Card>
  );
}
