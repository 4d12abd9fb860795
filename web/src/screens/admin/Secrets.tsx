import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { Fragment, useState } from "react";
import { Button } from "../../parts/Button.js";
import { confirm } from "../../parts/confirm.js";
import { Field } from "../../parts/Field.js";
import { Card } from "../../parts/Page.js";
import { EmptyState, Loadable } from "../../parts/States.js";
import { Table, Th } from "../../parts/Table.js";
import { say } from "../../parts/toasts.js";
import { client, useGrants } from "../../session/session.js";
import { Ago, Time } from "../../time/Time.js";
import { FormDialog } from "./FormDialog.js";
import { OfApp } from "./OfApp.js";
import { NameField } from "./NameField.js";
import { changed, secretsQuery, type Secret } from "./queries.js";
import { SigningKeys } from "./SigningKeys.js";
import { useForm } from "./use-form.js";

/** What an app's targets know and nobody is shown, and what its requests are signed by. */
export function Secrets() {
  const grants = useGrants();
  return (
    <OfApp
      title="Secrets"
      what="secrets"
      needs="secret.read"
      lead={
        <>
          Written as <code>{"{{secret.NAME}}"}</code> in a header of a target. Values go in, and
          never come out.
        </>
      }
    >
      {(appId) => {
        const mayWrite = grants(`app:${appId}:secret.write`);
        return (
          <Fragment key={appId}>
            <List appId={appId} mayWrite={mayWrite} />
            <SigningKeys appId={appId} mayWrite={mayWrite} />
          </Fragment>
        );
      }}
    </OfApp>
  );
}

function List({ appId, mayWrite }: { appId: string; mayWrite: boolean }) {
  const query = useQuery(secretsQuery(appId));
  const [setting, setSetting] = useState<string>();
  return (
    <>
      <Card
        flush
        title={`Secrets of ${appId}`}
        aside={
          mayWrite && (
            <Button small onClick={() => setSetting("")}>
              <Plus size={13} aria-hidden="true" /> New secret
            </Button>
          )
        }
      >
        <Loadable query={query}>
          {(secrets) =>
            secrets.length === 0 ? (
              <EmptyState title={`${appId} has no secrets`}>
                A target that needs a token or a password takes it from here.
              </EmptyState>
            ) : (
              <Table
                caption="Secrets by name"
                cards
                head={
                  <>
                    <Th>Name</Th>
                    <Th>Set</Th>
                    <Th>Last used</Th>
                    <Th hidden>Actions</Th>
                  </>
                }
              >
                {secrets.map((secret) => (
                  <tr key={secret.name}>
                    <td className="mono">{secret.name}</td>
                    <td data-label="Set">
                      <Time at={secret.updatedAt} />
                    </td>
                    <td data-label="Last used">
                      {secret.lastUsedAt ? (
                        <Ago at={secret.lastUsedAt} />
                      ) : (
                        <span className="muted">never</span>
                      )}
                    </td>
                    <td data-right className="nowrap">
                      {mayWrite && (
                        <>
                          <Button
                            small
                            aria-label={`Replace ${secret.name}…`}
                            onClick={() => setSetting(secret.name)}
                          >
                            Replace…
                          </Button>{" "}
                          <Button
                            small
                            aria-label={`Delete ${secret.name}…`}
                            onClick={() => askToDelete(appId, secret)}
                          >
                            Delete…
                          </Button>
                        </>
                      )}
                    </td>
                  </tr>
                ))}
              </Table>
            )
          }
        </Loadable>
      </Card>
      {setting !== undefined && (
        <SecretDialog appId={appId} name={setting} onClose={() => setSetting(undefined)} />
      )}
    </>
  );
}

interface SecretDialogProps {
  appId: string;
  /** "" for a new one. */
  name: string;
  onClose: () => void;
}

function SecretDialog({ appId, name: given, onClose }: SecretDialogProps) {
  const [name, setName] = useState(given);
  const [value, setValue] = useState("");
  const form = useForm(
    () => client().secrets.set(appId, name.trim(), { value }),
    (secret) => {
      void changed("secrets");
      say({ title: `Set ${secret.name} of ${appId}` });
      onClose();
    },
    ["name", "value"],
  );
  return (
    <FormDialog
      title={given === "" ? `New secret of ${appId}` : `Replace ${given}`}
      verb={given === "" ? "Set secret" : "Replace secret"}
      open
      onClose={onClose}
      form={form}
    >
      {given === "" && (
        <NameField
          hint="Upper-case letters, digits and underscores: HOOK_TOKEN."
          error={form.errorOf("name")}
          maxLength={64}
          value={name}
          onChange={setName}
        />
      )}
      <Field label="Value" hint="It is not shown again, to nobody." error={form.errorOf("value")}>
        {(control) => (
          <input
            {...control}
            type="password"
            autoComplete="new-password"
            spellCheck={false}
            value={value}
            onChange={(event) => setValue(event.target.value)}
          />
        )}
      </Field>
    </FormDialog>
  );
}

function askToDelete(appId: string, { name }: Secret): void {
  confirm({
    title: `Delete ${name}?`,
    body: <p>Jobs whose target refers to it fail from then on. It cannot be brought back.</p>,
    verb: "Delete secret",
    danger: true,
    run: async () => {
      await client().secrets.delete(appId, name);
      say({ title: `Deleted ${name} of ${appId}` });
      await changed("secrets");
    },
  });
}
