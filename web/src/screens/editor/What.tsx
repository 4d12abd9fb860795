import { useQuery } from "@tanstack/react-query";
import { appsQuery } from "../../api/queries.js";
import { parsePayload } from "../../crons/payload.js";
import { Button } from "../../parts/Button.js";
import { Field } from "../../parts/Field.js";
import { Card } from "../../parts/Page.js";
import { useGrants } from "../../session/session.js";
import { Text, type EditorForm } from "./controls.js";
import styles from "./editor.module.css";

interface WhatProps {
  form: EditorForm;
  appId: string;
  /** Absent: the app is what it is. */
  onApp: ((appId: string) => void) | undefined;
}

/** Its name, and what its jobs are given. */
export function What({ form, appId, onApp }: WhatProps) {
  return (
    <Card title="What">
      <div className={styles.fields}>
        <div className={styles.row}>
          <Text
            form={form}
            name="name"
            label="Name"
            maxLength={200}
            hint={
              onApp
                ? "Letters, digits, dashes and underscores; once in its app."
                : "Renaming keeps its history."
            }
          />
          {onApp && <AppChoice appId={appId} onApp={onApp} />}
          <Text
            form={form}
            name="method"
            label="Method"
            placeholder="none"
            hint="Which handler it is for; jobs carry it in their payload."
          />
        </div>
        <Payload form={form} />
      </div>
    </Card>
  );
}

function AppChoice({ appId, onApp }: { appId: string; onApp: (appId: string) => void }) {
  const { data = [] } = useQuery(appsQuery());
  const grants = useGrants();
  const ids = data.map(({ id }) => id).filter((id) => grants(`app:${id}:cron.write`));
  return (
    <Field label="App" hint="Those in which you may make crons.">
      {(control) => (
        <select {...control} value={appId} onChange={(event) => onApp(event.target.value)}>
          {[...new Set([appId, ...ids])].map((id) => (
            <option key={id}>{id}</option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** The payload as JSON; said what is wrong with it, and where, when one leaves it. */
function Payload({ form }: { form: EditorForm }) {
  const { register, setError, clearErrors, getValues, setValue, formState } = form;
  const check = () => {
    const text = getValues("payload");
    const parsed = text.trim() === "" ? undefined : parsePayload(text);
    if (parsed !== undefined && "error" in parsed) setError("payload", { message: parsed.error });
    else clearErrors("payload");
    return parsed;
  };
  const tidy = () => {
    const parsed = check();
    if (parsed !== undefined && "value" in parsed) {
      setValue("payload", JSON.stringify(parsed.value, null, 2));
    }
  };
  return (
    <div>
      <Field
        label="Payload"
        error={formState.errors.payload?.message}
        hint="An object, in JSON: what onJob is given."
      >
        {(control) => (
          <textarea
            {...control}
            {...register("payload", { onBlur: check })}
            rows={8}
            spellCheck={false}
            autoComplete="off"
          />
        )}
      </Field>
      <div className={styles.tidy}>
        <Button small onClick={tidy}>
          Tidy
        </Button>
      </div>
    </div>
  );
}
