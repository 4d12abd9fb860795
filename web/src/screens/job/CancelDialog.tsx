import { useState, type FormEvent } from "react";
import { problemOf } from "../../api/problem.js";
import { cancelJob, type JobRef } from "../../jobs/actions.js";
import { Button } from "../../parts/Button.js";
import { Dialog, DialogActions } from "../../parts/Dialog.js";
import { Field } from "../../parts/Field.js";
import styles from "./job.module.css";

interface CancelDialogProps {
  job: JobRef;
  running: boolean;
  open: boolean;
  onClose: () => void;
}

/** Asks why, which stays with the job and in its audit; the reason may be left out. */
export function CancelDialog({ job, running, open, onClose }: CancelDialogProps) {
  const [reason, setReason] = useState("");
  const [pending, setPending] = useState(false);
  const [problem, setProblem] = useState<string>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setPending(true);
    setProblem(undefined);
    try {
      await cancelJob(job, reason);
      onClose();
    } catch (thrown) {
      setProblem(problemOf(thrown).detail);
    } finally {
      setPending(false);
    }
  };
  return (
    <Dialog open={open} onClose={onClose} title={`Cancel job ${job.msgId}`}>
      <form onSubmit={(event) => void submit(event)} className={styles.form}>
        <p>
          {running
            ? "Its worker is told to stop. What it has done stays done; it is not tried again."
            : "It will never start. It stays in the history as canceled."}
        </p>
        <Field label="Why? (optional)" error={problem} hint="Kept with the job.">
          {(control) => (
            <input
              {...control}
              autoFocus
              maxLength={1000}
              value={reason}
              onChange={(event) => setReason(event.target.value)}
            />
          )}
        </Field>
        <DialogActions>
          <Button onClick={onClose}>Keep it</Button>
          <Button type="submit" look="danger" disabled={pending}>
            {pending ? "Canceling…" : "Cancel job"}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
