import { useInfiniteQuery } from "@tanstack/react-query";
import type { Output } from "carillon/client";
import { useState } from "react";
import { Field } from "../../parts/Field.js";
import { RadioCards } from "../../parts/RadioCards.js";
import { client, useGrants, useMe } from "../../session/session.js";
import { serverNow } from "../../time/clock.js";
import styles from "./admin.module.css";
import { FormDialog } from "./FormDialog.js";
import { NameField } from "./NameField.js";
import { PermissionPicker } from "./PermissionPicker.js";
import { changed, peopleQuery } from "./queries.js";
import { useForm } from "./use-form.js";

export type MadeKey = Output<"POST /api/v1/keys">;

interface NewKeyDialogProps {
  onClose: () => void;
  onMade: (key: MadeKey) => void;
}

const DAYS = [
  ["30", "30 days"],
  ["90", "90 days"],
  ["365", "a year"],
  ["never", "never"],
] as const;

/** Asks what a key is for, whose it is, what it may do, and for how long. */
export function NewKeyDialog({ onClose, onMade }: NewKeyDialogProps) {
  const { principal } = useMe();
  const [name, setName] = useState("");
  const [owner, setOwner] = useState(principal.id);
  const [carries, setCarries] = useState<"all" | "some">("some");
  const [scopes, setScopes] = useState<string[]>([]);
  const [days, setDays] = useState<(typeof DAYS)[number][0]>("90");
  const form = useForm(
    () =>
      client().keys.create({
        name: name.trim(),
        principalId: owner,
        scopes: carries === "all" ? null : scopes,
        expiresAt:
          days === "never" ? null : new Date(serverNow() + Number(days) * 86_400_000).toISOString(),
      }),
    (key) => {
      void changed("keys");
      onMade(key);
    },
    ["name", "expiresAt", "scopes"],
  );
  return (
    <FormDialog title="New key" verb="Create key" open onClose={onClose} form={form} wide>
      <div className={styles.row}>
        <NameField
          hint="What it is for: deploy-ci."
          error={form.errorOf("name")}
          maxLength={200}
          value={name}
          onChange={setName}
        />
        <Owner value={owner} onChange={setOwner} />
        <Field label="Stops working after" error={form.errorOf("expiresAt")}>
          {(control) => (
            <select
              {...control}
              value={days}
              onChange={(event) => setDays(event.target.value as typeof days)}
            >
              {DAYS.map(([value, text]) => (
                <option key={value} value={value}>
                  {text}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <RadioCards
        label="It carries"
        value={carries}
        onChange={setCarries}
        options={[
          {
            value: "some",
            title: "Only what is chosen",
            text: "And never more than its owner has.",
          },
          { value: "all", title: "All its owner may", text: "Whatever that is at the time." },
        ]}
      />
      {carries === "some" && (
        <PermissionPicker
          label="Permissions"
          value={scopes}
          onChange={setScopes}
          error={form.errorOf("scopes")}
        />
      )}
    </FormDialog>
  );
}

function Owner({ value, onChange }: { value: string; onChange: (id: string) => void }) {
  const { principal } = useMe();
  const grants = useGrants();
  const may = grants("system:key.write") && grants("system:principal.read");
  const { data } = useInfiniteQuery({ ...peopleQuery(), enabled: may });
  if (!may) return null;
  const people = data?.pages.flatMap(({ items }) => items) ?? [];
  const others = people.filter(({ id, kind }) => id !== principal.id && kind !== "system");
  return (
    <Field label="Whose" hint="It acts as this principal.">
      {(control) => (
        <select {...control} value={value} onChange={(event) => onChange(event.target.value)}>
          <option value={principal.id}>{principal.username} (you)</option>
          {others.map(({ id, username, kind }) => (
            <option key={id} value={id}>
              {username}
              {kind === "service" ? " (service)" : ""}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
