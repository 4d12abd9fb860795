import { useQuery } from "@tanstack/react-query";
import type { Output } from "carillon/client";
import { useState } from "react";
import { Button } from "../../parts/Button.js";
import { Field } from "../../parts/Field.js";
import { Card } from "../../parts/Page.js";
import { EmptyState, Loadable } from "../../parts/States.js";
import { Table, Th } from "../../parts/Table.js";
import { client } from "../../session/session.js";
import { Time } from "../../time/Time.js";
import { FormDialog } from "./FormDialog.js";
import { changed, signingKeysQuery } from "./queries.js";
import { ShownOnce } from "./ShownOnce.js";
import { useForm } from "./use-form.js";

type Made = Output<"POST /api/v1/apps/{appId}/signing-keys/rotate">;

/** What an app's requests are signed by, so that receivers know whose they are. */
export function SigningKeys({ appId, mayWrite }: { appId: string; mayWrite: boolean }) {
  const query = useQuery(signingKeysQuery(appId));
  const [rotating, setRotating] = useState(false);
  const [made, setMade] = useState<Made>();
  return (
    <Card
      flush
      title={`Signing keys of ${appId}`}
      aside={
        mayWrite && (
          <Button small onClick={() => setRotating(true)}>
            Rotate…
          </Button>
        )
      }
    >
      <Loadable query={query}>
        {(keys) =>
          keys.length === 0 ? (
            <EmptyState title={`Nobody knows the key of ${appId} yet`}>
              Its requests to HTTP targets are signed all the same. Rotate it to get one that
              receivers can verify by.
            </EmptyState>
          ) : (
            <Table
              caption="Signing keys, newest first"
              head={
                <>
                  <Th>Made</Th>
                  <Th>Signs</Th>
                </>
              }
            >
              {keys.map(({ id, createdAt, expiresAt }) => (
                <tr key={id}>
                  <td>
                    <Time at={createdAt} seconds />
                  </td>
                  <td>
                    {expiresAt === null ? (
                      "now, and until it is rotated"
                    ) : (
                      <>
                        as well, until <Time at={expiresAt} />
                      </>
                    )}
                  </td>
                </tr>
              ))}
            </Table>
          )
        }
      </Loadable>
      {rotating && (
        <RotateDialog
          appId={appId}
          onClose={() => setRotating(false)}
          onMade={(key) => {
            setRotating(false);
            setMade(key);
          }}
        />
      )}
      {made && (
        <ShownOnce
          title={`The signing key of ${appId}`}
          variable="WEBHOOK_SECRET"
          secret={made.secret}
          trial={{
            does: "A receiver verifies by it:",
            line: "await verifyWebhook({ secrets: process.env.WEBHOOK_SECRET, headers, body });",
          }}
          onDone={() => setMade(undefined)}
        />
      )}
    </Card>
  );
}

const OVERLAPS = [
  ["0", "at once: it has leaked"],
  ["86400", "after a day"],
  ["604800", "after 7 days"],
  ["2592000", "after 30 days"],
] as const;

interface RotateDialogProps {
  appId: string;
  onClose: () => void;
  onMade: (key: Made) => void;
}

function RotateDialog({ appId, onClose, onMade }: RotateDialogProps) {
  const [overlap, setOverlap] = useState("86400");
  const form = useForm(
    () => client().signingKeys.rotate(appId, { overlap: Number(overlap) }),
    (key) => {
      void changed("signing-keys");
      onMade(key);
    },
  );
  return (
    <FormDialog
      title={`Rotate the signing key of ${appId}`}
      verb="Rotate key"
      open
      onClose={onClose}
      form={form}
    >
      <p>
        A new key signs from now on. Until the one before it ends, requests are signed by both: give
        the new one to all receivers within that time.
      </p>
      <Field label="The key before it ends" hint="One that is older still ends at once.">
        {(control) => (
          <select {...control} value={overlap} onChange={(event) => setOverlap(event.target.value)}>
            {OVERLAPS.map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        )}
      </Field>
    </FormDialog>
  );
}
