import { useQuery } from "@tanstack/react-query";
import type { App } from "carillon/client";
import { Link } from "@tanstack/react-router";
import { appsQuery } from "../../api/queries.js";
import { cronsChanged } from "../../crons/actions.js";
import { Button } from "../../parts/Button.js";
import { confirm } from "../../parts/confirm.js";
import { Card, Page } from "../../parts/Page.js";
import { EmptyState, Loadable } from "../../parts/States.js";
import { Table, Th } from "../../parts/Table.js";
import { say } from "../../parts/toasts.js";
import { client, useGrants } from "../../session/session.js";
import { counted } from "../../time/format.js";
import { Time } from "../../time/Time.js";
import { changed } from "./queries.js";

/** The apps one may see. */
export function Apps() {
  const query = useQuery(appsQuery());
  return (
    <Page title="Apps">
      <Card flush>
        <Loadable query={query}>
          {(apps) =>
            apps.length === 0 ? (
              <EmptyState title="No apps yet">
                <code>carillon deploy</code> installs one from its manifest.
              </EmptyState>
            ) : (
              <Table
                caption="Apps"
                least="46rem"
                cards
                head={
                  <>
                    <Th>App</Th>
                    <Th>Jobs at once</Th>
                    <Th>Brings</Th>
                    <Th>Installed</Th>
                    <Th>Deployed</Th>
                    <Th hidden>Actions</Th>
                  </>
                }
              >
                {apps.map((app) => (
                  <Row key={app.id} app={app} />
                ))}
              </Table>
            )
          }
        </Loadable>
      </Card>
    </Page>
  );
}

function Row({ app }: { app: App }) {
  const grants = useGrants();
  const { id, name, permissions, maxConcurrency, createdAt, updatedAt } = app;
  return (
    <tr>
      <td>
        <Link to="/crons" search={{ app: id } as never} className="link">
          {id}
        </Link>
        {name && (
          <p className="small muted" dir="auto">
            {name}
          </p>
        )}
      </td>
      <td data-label="Jobs at once">{maxConcurrency ?? <span className="muted">no limit</span>}</td>
      <td data-label="Brings" title={permissions.join("\n")}>
        {counted(permissions.length, "permission")}
      </td>
      <td data-label="Installed">
        <Time at={createdAt} show="day" />
      </td>
      <td data-label="Deployed">
        <Time at={updatedAt} />
      </td>
      <td data-right className="nowrap">
        {grants(`app:${id}:uninstall`) && (
          <Button small aria-label={`Uninstall ${id}…`} onClick={() => askToUninstall(app)}>
            Uninstall…
          </Button>
        )}
      </td>
    </tr>
  );
}

function askToUninstall({ id }: App): void {
  confirm({
    title: `Uninstall ${id}?`,
    body: (
      <>
        <p>All of its crons go, and its queued and running jobs are canceled.</p>
        <p>Its slots, jobs and logs stay in the history until their retention ends.</p>
      </>
    ),
    verb: "Uninstall app",
    danger: true,
    mustType: id,
    run: async () => {
      await client().apps.uninstall(id);
      say({ title: `Uninstalled ${id}` });
      await Promise.all([changed("apps"), cronsChanged()]);
    },
  });
}
