import { useState, type FormEvent } from "react";
import { Button } from "../parts/Button.js";
import { Dialog, DialogActions } from "../parts/Dialog.js";
import { Field } from "../parts/Field.js";
import styles from "./crons.module.css";

interface PauseDialogProps {
  /** `daily-digest`, `3 crons`. */
  what: string;
  open: boolean;
  onClose: () => void;
  onPause: (note: string) => Promise<void>;
}

/** Asks why, which stays with the cron and in its audit; the reason may be left out. */
export function PauseDialog({ what, open, onClose, onPause }: PauseDialogProps) {
  const [note, setNote] = useState("");
  const [pending, setPending] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setPending(true);
    await onPause(note);
    setPending(false);
    setNote("");
    onClose();
  };
  return (
    <Dialog open={open} onClose={onClose} title={`Pause ${what}`}>
      <form onSubmit={(event) => void submit(event)} className={styles.dialogForm}>
        <p>No slot fires until it is resumed. Jobs that are queued or running go on.</p>
        <Field label="Why? (optional)" hint="Shown wherever the cron is, with your name.">
          {(control) => (
            <input
              {...control}
              autoFocus
              maxLength={500}
              value={note}
              onChange={(event) => setNote(event.target.value)}
            />
          )}
        </Field>
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={pending}>
            {pending ? "Pausing…" : `Pause ${what}`}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
