import { useQuery } from "@tanstack/react-query";
import type { App } from "carillon/client";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { appsQuery } from "../../api/queries.js";
import { cronsChanged } from "../../crons/actions.js";
import { Button } from "../../parts/Button.js";
import { confirm } from "../../parts/confirm.js";
import { Field } from "../../parts/Field.js";
import { Card, Page } from "../../parts/Page.js";
import { EmptyState, ErrorState, Loadable, Loading } from "../../parts/States.js";
import { Table, Th } from "../../parts/Table.js";
import { say } from "../../parts/toasts.js";
import { client, useGrants } from "../../session/session.js";
import { counted } from "../../time/format.js";
import { Time } from "../../time/Time.js";
import styles from "./admin.module.css";
import { FormDialog } from "./FormDialog.js";
import { changed, retentionQuery } from "./queries.js";
import { useForm } from "./use-form.js";

/** The apps one may see, and how long their jobs are kept. */
export function Apps() {
  const query = useQuery(appsQuery());
  const [open, setOpen] = useState<string>();
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
                  <Row key={app.id} app={app} onRetention={() => setOpen(app.id)} />
                ))}
              </Table>
            )
          }
        </Loadable>
      </Card>
      {open && <Retention appId={open} onClose={() => setOpen(undefined)} />}
    </Page>
  );
}

function Row({ app, onRetention }: { app: App; onRetention: () => void }) {
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
      <td>{maxConcurrency ?? <span className="muted">no limit</span>}</td>
      <td title={permissions.join("\n")}>{counted(permissions.length, "permission")}</td>
      <td>
        <Time at={createdAt} show="day" />
      </td>
      <td>
        <Time at={updatedAt} />
      </td>
      <td data-right className="nowrap">
        {grants(`app:${id}:job.read`) && (
          <Button small aria-label={`Retention of ${id}…`} onClick={onRetention}>
            Retention…
          </Button>
        )}{" "}
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

function Retention({ appId, onClose }: { appId: string; onClose: () => void }) {
  const query = useQuery(retentionQuery(appId));
  if (query.data === undefined) {
    return query.error === null ? (
      <Loading rows={1} />
    ) : (
      <ErrorState error={query.error} onRetry={() => void query.refetch()} />
    );
  }
  return <RetentionForm key={appId} appId={appId} now={query.data} onClose={onClose} />;
}

interface RetentionFormProps {
  appId: string;
  now: {
    days: number | null;
    keepLast: number | null;
    keepFailed: number | null;
    effectiveDays: number;
  };
  onClose: () => void;
}

const FIELDS = [
  ["days", "Days a finished job is kept", "as the installation"],
  ["keepLast", "The last finished jobs, besides", "none"],
  ["keepFailed", "The last failed jobs, besides", "none"],
] as const;

const textOf = (value: number | null) => (value === null ? "" : String(value));

function RetentionForm({ appId, now, onClose }: RetentionFormProps) {
  const mayWrite = useGrants()(`app:${appId}:job.write`);
  const [values, setValues] = useState({
    days: textOf(now.days),
    keepLast: textOf(now.keepLast),
    keepFailed: textOf(now.keepFailed),
  });
  const numberOf = (text: string) => (text.trim() === "" ? null : Number(text));
  const form = useForm(
    () =>
      client().retention.setForApp(appId, {
        days: numberOf(values.days),
        keepLast: numberOf(values.keepLast),
        keepFailed: numberOf(values.keepFailed),
      }),
    ({ effectiveDays }) => {
      void changed("retention");
      say({ title: `Finished jobs of ${appId} are kept ${counted(effectiveDays, "day")}` });
      onClose();
    },
    ["days", "keepLast", "keepFailed"],
  );
  return (
    <FormDialog
      title={`Retention of ${appId}`}
      verb="Save retention"
      open
      onClose={onClose}
      form={mayWrite ? form : { ...form, submit: (event) => event.preventDefault() }}
    >
      <p className="small muted">
        Now {counted(now.effectiveDays, "day")}. What is older is trimmed at night, for good.
        {!mayWrite && " You may look at this, and not change it."}
      </p>
      <div className={styles.row}>
        {FIELDS.map(([name, label, usual]) => (
          <Field key={name} label={label} error={form.errorOf(name)}>
            {(control) => (
              <input
                {...control}
                type="number"
                min={1}
                placeholder={usual}
                readOnly={!mayWrite}
                value={values[name]}
                onChange={(event) => setValues({ ...values, [name]: event.target.value })}
              />
            )}
          </Field>
        ))}
      </div>
    </FormDialog>
  );
}
