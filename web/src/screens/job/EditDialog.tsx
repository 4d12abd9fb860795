import { CarillonApiError } from "carillon/client";
import { useState, type FormEvent } from "react";
import { problemOf, sentence } from "../../api/problem.js";
import { parsePayload } from "../../crons/payload.js";
import { jobsChanged } from "../../jobs/actions.js";
import { fromLocal, toLocal } from "../../jobs/local-time.js";
import type { Job } from "../../jobs/types.js";
import { Button } from "../../parts/Button.js";
import { Dialog, DialogActions } from "../../parts/Dialog.js";
import { Field } from "../../parts/Field.js";
import { say } from "../../parts/toasts.js";
import { client } from "../../session/session.js";
import { serverNow } from "../../time/clock.js";
import { cityOf } from "../../time/format.js";
import { MY_ZONE } from "../../time/times.js";
import styles from "./job.module.css";

interface EditDialogProps {
  job: Job;
  open: boolean;
  onClose: () => void;
}

/** Changes when a waiting job is due and, before its first attempt, what it is given. */
export function EditDialog({ job, open, onClose }: EditDialogProps) {
  return (
    <Dialog open={open} onClose={onClose} title={`Change job ${job.msgId}`} wide>
      {open && <EditForm job={job} onClose={onClose} />}
    </Dialog>
  );
}

type Errors = Partial<Record<"runAt" | "payload", string>>;

interface Changes {
  runAt?: string;
  payload?: Record<string, unknown>;
}

function EditForm({ job, onClose }: { job: Job; onClose: () => void }) {
  const due = toLocal(job.dueAt ?? serverNow());
  const given = JSON.stringify(job.payload ?? {}, null, 2);
  const [when, setWhen] = useState(due);
  const [text, setText] = useState(given);
  const [errors, setErrors] = useState<Errors>({});
  const [pending, setPending] = useState(false);
  const fresh = job.attempts.length === 0;

  const change = async (changes: Changes) => {
    setPending(true);
    setErrors({});
    try {
      await client().jobs.update(job.appId, job.msgId, changes);
      await jobsChanged();
      say({ title: `Changed job ${job.msgId}` });
      onClose();
    } catch (thrown) {
      setErrors(placed(thrown));
      setPending(false);
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const runAt = fromLocal(when);
    const parsed = parsePayload(text);
    const found: Errors = {
      ...(runAt === undefined && { runAt: "Give a day and a time." }),
      ...("error" in parsed && { payload: parsed.error }),
    };
    setErrors(found);
    if (runAt === undefined || "error" in parsed) return;
    // What was not touched is not sent: somebody else may have changed it.
    const changes = {
      ...(when === due ? {} : { runAt }),
      ...(text === given ? {} : { payload: parsed.value }),
    };
    if (Object.keys(changes).length === 0) onClose();
    else void change(changes);
  };
  return (
    <form className={styles.form} noValidate onSubmit={submit}>
      <Field label="Not before" error={errors.runAt} hint={`Your time (${cityOf(MY_ZONE)}).`}>
        {(control) => (
          <input
            {...control}
            type="datetime-local"
            step={1}
            value={when}
            onChange={(event) => setWhen(event.target.value)}
          />
        )}
      </Field>
      {fresh && (
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
      )}
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button
          disabled={pending}
          onClick={() => void change({ runAt: new Date(serverNow()).toISOString() })}
        >
          Start it now
        </Button>
        <Button type="submit" look="primary" disabled={pending}>
          {pending ? "Saving…" : "Save changes"}
        </Button>
      </DialogActions>
    </form>
  );
}

function placed(thrown: unknown): Errors {
  const fields = thrown instanceof CarillonApiError ? thrown.fields : [];
  const payload = fields.find(({ field }) => field.startsWith("payload"));
  if (payload !== undefined) return { payload: sentence(payload.message) };
  return { runAt: problemOf(thrown).detail };
}
