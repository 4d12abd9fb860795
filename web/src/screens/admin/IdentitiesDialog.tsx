import { useQuery } from "@tanstack/react-query";
import type { Principal } from "carillon/client";
import { useState } from "react";
import { problemOf } from "../../api/problem.js";
import { IconButton } from "../../parts/Button.js";
import { Field } from "../../parts/Field.js";
import { Loadable, Loading } from "../../parts/States.js";
import { say } from "../../parts/toasts.js";
import { client } from "../../session/session.js";
import { Time } from "../../time/Time.js";
import { X } from "lucide-react";
import styles from "./admin.module.css";
import { FormDialog } from "./FormDialog.js";
import { changed, identitiesQuery, type Identity } from "./queries.js";
import { useForm } from "./use-form.js";

interface IdentitiesDialogProps {
  person: Principal;
  onClose: () => void;
}

/** By which tokens and sessions somebody comes, besides keys. */
export function IdentitiesDialog({ person, onClose }: IdentitiesDialogProps) {
  const query = useQuery(identitiesQuery(person.id));
  const [issuer, setIssuer] = useState("session");
  const [subject, setSubject] = useState("");
  const form = useForm(
    () =>
      client().principals.linkIdentity(person.id, {
        issuer: issuer.trim(),
        subject: subject.trim(),
      }),
    () => {
      void changed("identities");
      say({ title: `${subject.trim()} acts as ${person.username}` });
      setSubject("");
    },
    ["issuer", "subject"],
  );
  return (
    <FormDialog
      title={`Sign-ins of ${person.username}`}
      verb="Link identity"
      open
      onClose={onClose}
      form={form}
      wide
    >
      <Loadable query={query} loading={<Loading rows={2} />}>
        {(all) =>
          all.length === 0 ? (
            <p>
              No token and no session acts as {person.username}: {person.username} comes by keys
              alone.
            </p>
          ) : (
            <ul className={styles.identities} aria-label={`Identities of ${person.username}`}>
              {all.map((one) => (
                <li key={`${one.issuer} ${one.subject}`}>
                  <code>{one.subject}</code>
                  <span className="muted small">
                    {one.issuer === "session" ? "by a session" : one.issuer}, since{" "}
                    <Time at={one.createdAt} show="day" />
                  </span>
                  <IconButton
                    label={`Unlink ${one.subject}`}
                    small
                    onClick={() => void unlink(person, one)}
                  >
                    <X size={14} aria-hidden="true" />
                  </IconButton>
                </li>
              ))}
            </ul>
          )
        }
      </Loadable>
      <div className={styles.row}>
        <Field
          label="Issuer"
          hint="The iss of its tokens; session for cookies."
          error={form.errorOf("issuer")}
        >
          {(control) => (
            <input
              {...control}
              autoComplete="off"
              spellCheck={false}
              maxLength={500}
              value={issuer}
              onChange={(event) => setIssuer(event.target.value)}
            />
          )}
        </Field>
        <Field
          label="Subject"
          hint="What the issuer calls it: sub, or the identity's id."
          error={form.errorOf("subject")}
        >
          {(control) => (
            <input
              {...control}
              autoComplete="off"
              spellCheck={false}
              maxLength={255}
              value={subject}
              onChange={(event) => setSubject(event.target.value)}
            />
          )}
        </Field>
      </div>
    </FormDialog>
  );
}

/** Undone by linking it again: it is not asked about. */
async function unlink({ id, username }: Principal, { issuer, subject }: Identity): Promise<void> {
  try {
    await client().principals.unlinkIdentity(id, { issuer, subject });
    await changed("identities");
    say({
      title: `${subject} acts as ${username} no longer`,
      action: {
        label: "Undo",
        run: () =>
          void client()
            .principals.linkIdentity(id, { issuer, subject })
            .then(() => changed("identities")),
      },
    });
  } catch (error) {
    say({ title: "It could not be unlinked", detail: problemOf(error).detail, failed: true });
  }
}
