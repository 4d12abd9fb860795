import { CarillonApiError } from "carillon/client";
import { useState, type FormEvent } from "react";
import { problemOf, sentence } from "../api/problem.js";
import { parsePayload } from "../crons/payload.js";
import { Button } from "../parts/Button.js";
import { Dialog, DialogActions } from "../parts/Dialog.js";
import { Field, Select } from "../parts/Field.js";
import { say } from "../parts/toasts.js";
import { client } from "../session/session.js";
import { cityOf, count } from "../time/format.js";
import { MY_ZONE } from "../time/times.js";
import { jobsChanged } from "./actions.js";
import styles from "./jobs.module.css";
import { fromLocal } from "./local-time.js";

interface EnqueueDialogProps {
  open: boolean;
  onClose: () => void;
  /** Where one may enqueue. */
  appIds: readonly string[];
  payload?: unknown;
  onEnqueued: (appId: string, id: number) => void;
}

/** Makes a job that belongs to no cron, or a copy of one with another payload. */
export function EnqueueDialog({ open, onClose, ...rest }: EnqueueDialogProps) {
  return (
    <Dialog open={open} onClose={onClose} title="Enqueue a job" wide>
      {open && <EnqueueForm {...rest} onClose={onClose} />}
    </Dialog>
  );
}

const FIELDS = ["payload", "runAt", "maxAttempts", "priority", "tags"] as const;
type Name = (typeof FIELDS)[number];
type Errors = Partial<Record<Name, string>>;

const EMPTY = { runAt: "", maxAttempts: "", priority: "", tags: "" };

function EnqueueForm({
  onClose,
  appIds,
  payload = {},
  onEnqueued,
}: Omit<EnqueueDialogProps, "open">) {
  const [appId, setAppId] = useState(appIds[0] ?? "");
  const [text, setText] = useState(JSON.stringify(payload, null, 2));
  const [values, setValues] = useState(EMPTY);
  const [errors, setErrors] = useState<Errors>({});
  const [problem, setProblem] = useState<string>();
  const [pending, setPending] = useState(false);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setProblem(undefined);
    const parsed = parsePayload(text);
    const found: Errors = {
      ...("error" in parsed && { payload: parsed.error }),
      ...wrongNumbers(values),
    };
    setErrors(found);
    if ("error" in parsed || Object.keys(found).length > 0) return;
    setPending(true);
    try {
      const { msgId } = await client().jobs.enqueue(appId, bodyOf(parsed.value, values));
      await jobsChanged();
      say({
        title: `Enqueued job ${count(msgId)}`,
        action: { label: "Open", run: () => onEnqueued(appId, msgId) },
      });
      onClose();
    } catch (thrown) {
      const placed = placedErrors(thrown);
      setErrors(placed);
      if (Object.keys(placed).length === 0) setProblem(problemOf(thrown).detail);
      setPending(false);
    }
  };
  const field = (name: keyof typeof EMPTY) => ({
    value: values[name],
    onChange: (event: { target: { value: string } }) =>
      setValues({ ...values, [name]: event.target.value }),
  });
  return (
    <form onSubmit={(event) => void submit(event)} className={styles.form} noValidate>
      <div className={styles.appLine}>
        <span>For the app</span>
        <Select
          label="App"
          value={appId}
          options={appIds.map((id) => [id, id])}
          onChange={setAppId}
        />
      </div>
      <Field label="Payload" error={errors.payload} hint="An object, in JSON.">
        {(control) => (
          <textarea
            {...control}
            rows={9}
            spellCheck={false}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        )}
      </Field>
      <div className={styles.pair}>
        <Field
          label="Not before"
          error={errors.runAt}
          hint={`Your time (${cityOf(MY_ZONE)}). Empty: at once.`}
        >
          {(control) => <input {...control} {...field("runAt")} type="datetime-local" step={1} />}
        </Field>
        <Field label="Attempts" error={errors.maxAttempts} hint="Empty: one.">
          {(control) => <input {...control} {...field("maxAttempts")} inputMode="numeric" />}
        </Field>
        <Field label="Priority" error={errors.priority} hint="Higher goes first. Empty: 0.">
          {(control) => <input {...control} {...field("priority")} inputMode="numeric" />}
        </Field>
        <Field label="Tags" error={errors.tags} hint="Separated by commas.">
          {(control) => <input {...control} {...field("tags")} />}
        </Field>
      </div>
      {problem && (
        <p role="alert" className={styles.problem}>
          {problem}
        </p>
      )}
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="primary" disabled={pending}>
          {pending ? "Enqueuing…" : "Enqueue job"}
        </Button>
      </DialogActions>
    </form>
  );
}

function wrongNumbers(values: typeof EMPTY): Errors {
  const wrong = (text: string) => text.trim() !== "" && !/^-?\d{1,9}$/.test(text.trim());
  return {
    ...(wrong(values.maxAttempts) && { maxAttempts: "Give a whole number, such as 3." }),
    ...(wrong(values.priority) && { priority: "Give a whole number, such as 10." }),
  };
}

function bodyOf(payload: Record<string, unknown>, values: typeof EMPTY) {
  const runAt = fromLocal(values.runAt);
  const tags = values.tags.split(",").map((tag) => tag.trim());
  const given = tags.filter((tag) => tag !== "");
  return {
    payload,
    ...(runAt === undefined ? {} : { runAt }),
    ...(values.maxAttempts.trim() === "" ? {} : { maxAttempts: Number(values.maxAttempts) }),
    ...(values.priority.trim() === "" ? {} : { priority: Number(values.priority) }),
    ...(given.length === 0 ? {} : { tags: given }),
  };
}

/** What the server says of a field, at that field. */
function placedErrors(thrown: unknown): Errors {
  if (!(thrown instanceof CarillonApiError)) return {};
  const entries = thrown.fields.flatMap(({ field, message }) => {
    const name = FIELDS.find((one) => field === one || field.startsWith(`${one}.`));
    return name === undefined ? [] : [[name, sentence(message)] as const];
  });
  return Object.fromEntries(entries);
}
