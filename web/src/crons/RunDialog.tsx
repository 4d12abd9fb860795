import { CarillonApiError, type Cron } from "carillon/client";
import { useState, type FormEvent } from "react";
import { problemOf } from "../api/problem.js";
import { Button } from "../parts/Button.js";
import { Dialog, DialogActions } from "../parts/Dialog.js";
import { Field } from "../parts/Field.js";
import { say } from "../parts/toasts.js";
import { client } from "../session/session.js";
import { cronsChanged } from "./actions.js";
import styles from "./crons.module.css";
import { parsePayload } from "./payload.js";

interface RunDialogProps {
  cron: Cron;
  open: boolean;
  onClose: () => void;
}

/** Runs a cron once, now, with its payload or another one for this once. */
export function RunDialog({ cron, open, onClose }: RunDialogProps) {
  return (
    <Dialog open={open} onClose={onClose} title={`Run ${cron.name} now`} wide>
      {open && <RunForm cron={cron} onClose={onClose} />}
    </Dialog>
  );
}

function RunForm({ cron, onClose }: { cron: Cron; onClose: () => void }) {
  const own = JSON.stringify(cron.payload, null, 2);
  const [text, setText] = useState(own);
  const [error, setError] = useState<string>();
  const [beside, setBeside] = useState(true);
  const [pending, setPending] = useState(false);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const parsed = parsePayload(text);
    if ("error" in parsed) {
      setError(parsed.error);
      return;
    }
    setPending(true);
    setError(undefined);
    try {
      const changed = text.trim() !== own;
      const { msgId } = await client().crons.trigger(cron.appId, cron.id, {
        ...(changed ? { payload: parsed.value } : {}),
        respectOverlap: !beside,
      });
      await cronsChanged();
      say({ title: `${cron.name} runs as job ${msgId}` });
      onClose();
    } catch (thrown) {
      setError(whyNot(thrown));
      setPending(false);
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)} className={styles.dialogForm}>
      <p>
        Makes one job at once, whatever the schedule. Its next slot stays as it is
        {cron.enabled ? "." : "; the cron stays paused."}
      </p>
      <Field label="Payload for this once" error={error} hint="An object, in JSON.">
        {(control) => (
          <textarea
            {...control}
            rows={10}
            spellCheck={false}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        )}
      </Field>
      <label className={styles.check}>
        <input
          type="checkbox"
          checked={beside}
          onChange={(event) => setBeside(event.target.checked)}
        />
        Even if a job of this cron is queued or running
      </label>
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="primary" disabled={pending}>
          {pending ? "Starting…" : "Run once"}
        </Button>
      </DialogActions>
    </form>
  );
}

function whyNot(thrown: unknown): string {
  if (thrown instanceof CarillonApiError && thrown.fields.length > 0) {
    return thrown.fields.map(({ field, message }) => `${field} ${message}`).join("; ");
  }
  return problemOf(thrown).detail;
}
