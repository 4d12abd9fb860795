import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { appsQuery } from "../../api/queries.js";
import { pace } from "../../live/live.js";
import { Button } from "../../parts/Button.js";
import { RadioCards } from "../../parts/RadioCards.js";
import { Card, Facts, Page } from "../../parts/Page.js";
import { EmptyState, ErrorState, Loadable, Loading } from "../../parts/States.js";
import { Table, Th } from "../../parts/Table.js";
import { client, useGrants } from "../../session/session.js";
import { SingleKeys } from "../../shell/SingleKeys.js";
import { setTheme, theme } from "../../shell/theme.js";
import { useStore } from "../../store.js";
import { count, counted } from "../../time/format.js";
import { keptHours } from "../../time/times.js";
import styles from "./admin.module.css";
import { retentionQuery } from "./queries.js";
import { RetentionDialog } from "./RetentionDialog.js";

/** How long jobs are kept, what copies of the database do, and what this browser remembers. */
export function Settings() {
  const mayRead = useGrants()("system:read");
  return (
    <Page title="Settings">
      <Kept />
      {mayRead && <Copies />}
      <Browser />
    </Page>
  );
}

function Kept() {
  const grants = useGrants();
  const query = useQuery(appsQuery());
  return (
    <Card title="How long finished jobs are kept" flush>
      <Loadable query={query}>
        {(apps) => {
          const mine = apps.filter(({ id }) => grants(`app:${id}:job.read`));
          return mine.length === 0 ? (
            <EmptyState title="There is no app whose jobs you may see" />
          ) : (
            <Table
              caption="Retention of each app"
              least="40rem"
              cards
              head={
                <>
                  <Th>App</Th>
                  <Th>Kept for</Th>
                  <Th right>Last jobs kept beyond</Th>
                  <Th right>Last failed kept beyond</Th>
                  <Th hidden>Actions</Th>
                </>
              }
            >
              {mine.map(({ id }) => (
                <KeptRow key={id} appId={id} mayWrite={grants(`app:${id}:job.write`)} />
              ))}
            </Table>
          );
        }}
      </Loadable>
    </Card>
  );
}

function KeptRow({ appId, mayWrite }: { appId: string; mayWrite: boolean }) {
  const { data, error, refetch } = useQuery(retentionQuery(appId));
  const [open, setOpen] = useState(false);
  if (data === undefined) {
    return (
      <tr>
        <td>
          <strong>{appId}</strong>
        </td>
        <td colSpan={4}>
          {error === null ? (
            <Loading rows={1} height="1rem" />
          ) : (
            <ErrorState error={error} onRetry={() => void refetch()} />
          )}
        </td>
      </tr>
    );
  }
  const { days, effectiveDays, keepLast, keepFailed } = data;
  return (
    <tr>
      <td>
        <strong>{appId}</strong>
      </td>
      <td data-label="Kept for">
        {counted(effectiveDays, "day")}
        {days === null && <span className="muted"> · as the installation</span>}
      </td>
      <td data-label="Last jobs beyond" data-right>
        {keepLast === null ? <span className="muted">none</span> : count(keepLast)}
      </td>
      <td data-label="Last failed beyond" data-right>
        {keepFailed === null ? <span className="muted">none</span> : count(keepFailed)}
      </td>
      <td data-right>
        {mayWrite && (
          <Button small aria-label={`Change retention of ${appId}…`} onClick={() => setOpen(true)}>
            Change…
          </Button>
        )}
        {open && <RetentionDialog appId={appId} now={data} onClose={() => setOpen(false)} />}
      </td>
    </tr>
  );
}

function Copies() {
  const query = useQuery({
    queryKey: ["system", "clone"],
    queryFn: async ({ signal }) => (await client().system.status({ signal })).clone,
  });
  return (
    <Card title="Copies of this database">
      <Loadable query={query} loading={<Loading rows={2} />}>
        {({ home, here, clone, onClone }) => (
          <div className={styles.stack}>
            <Facts
              facts={[
                ["Schedules were made for", home.database],
                ["This is", clone ? `a copy of it, ${here.database}` : "that database"],
                [
                  "A copy",
                  onClone === "hold"
                    ? "fires nothing until it is released"
                    : "fires all the same, and warns",
                ],
              ]}
            />
            <p className="small muted">
              Changed by the command line, where the database is:{" "}
              <code>carillon release --on-clone {onClone === "hold" ? "warn" : "hold"}</code>
            </p>
          </div>
        )}
      </Loadable>
    </Card>
  );
}

/** What is kept in this browser alone. */
function Browser() {
  const look = useStore(theme);
  const hours = useStore(keptHours);
  const chosenPace = useStore(pace);
  return (
    <Card title="This browser">
      <div className={styles.stack}>
        <RadioCards
          label="Theme"
          value={look}
          onChange={setTheme}
          options={[
            { value: "system", title: "As the system", text: "Dark when the system is." },
            { value: "light", title: "Light", text: "Always." },
            { value: "dark", title: "Dark", text: "Always." },
          ]}
        />
        <RadioCards
          label="Hours"
          value={hours}
          onChange={keptHours.set}
          options={[
            { value: "24", title: "24 hours", text: "14:05" },
            { value: "12", title: "12 hours", text: "2:05 pm" },
          ]}
        />
        <RadioCards
          label="Keep pages up to date"
          value={chosenPace}
          onChange={pace.set}
          options={[
            { value: "live", title: "Live", text: "Every few seconds while you are there." },
            { value: "slow", title: "Slowly", text: "Every 30 seconds." },
            { value: "off", title: "When asked", text: "By r, or the menu above." },
          ]}
        />
        <SingleKeys />
      </div>
    </Card>
  );
}
