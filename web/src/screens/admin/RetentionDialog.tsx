import { useState } from "react";
import { Field } from "../../parts/Field.js";
import { say } from "../../parts/toasts.js";
import { client } from "../../session/session.js";
import { counted } from "../../time/format.js";
import styles from "./admin.module.css";
import { FormDialog } from "./FormDialog.js";
import { changed, type Retention } from "./queries.js";
import { useForm } from "./use-form.js";

interface RetentionDialogProps {
  appId: string;
  now: Retention;
  onClose: () => void;
}

const FIELDS = [
  ["days", "Days a finished job is kept", "as the installation"],
  ["keepLast", "Last jobs kept beyond that", "none"],
  ["keepFailed", "Last failed jobs kept beyond that", "none"],
] as const;

const textOf = (value: number | null) => (value === null ? "" : String(value));

/** How long, and how many, of an app's finished jobs are kept. */
export function RetentionDialog({ appId, now, onClose }: RetentionDialogProps) {
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
      form={form}
    >
      <p className="small muted">
        Now {counted(now.effectiveDays, "day")}. What is older is trimmed at night, for good.
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
