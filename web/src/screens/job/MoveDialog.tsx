import { useState } from "react";
import { problemOf } from "../../api/problem.js";
import { jobsChanged } from "../../jobs/actions.js";
import { fromLocal, toLocal } from "../../jobs/local-time.js";
import type { Job } from "../../jobs/types.js";
import { Button } from "../../parts/Button.js";
import { Dialog, DialogActions } from "../../parts/Dialog.js";
import { Field } from "../../parts/Field.js";
import { say } from "../../parts/toasts.js";
import { client } from "../../session/session.js";
import { serverNow } from "../../time/clock.js";
import { cityOf, count } from "../../time/format.js";
import { MY_ZONE } from "../../time/times.js";
import styles from "./job.module.css";

interface MoveDialogProps {
  job: Job;
  open: boolean;
  onClose: () => void;
}

/** Changes when a waiting job is due. */
export function MoveDialog({ job, open, onClose }: MoveDialogProps) {
  return (
    <Dialog open={open} onClose={onClose} title={`When is job ${count(job.msgId)} due?`}>
      {open && <MoveForm job={job} onClose={onClose} />}
    </Dialog>
  );
}

function MoveForm({ job, onClose }: { job: Job; onClose: () => void }) {
  const [text, setText] = useState(toLocal(job.dueAt ?? serverNow()));
  const [error, setError] = useState<string>();
  const [pending, setPending] = useState(false);
  const move = async (runAt: string | undefined) => {
    if (runAt === undefined) {
      setError("Give a day and a time.");
      return;
    }
    setPending(true);
    setError(undefined);
    try {
      await client().jobs.move(job.appId, job.msgId, { runAt });
      await jobsChanged();
      say({ title: `Moved job ${count(job.msgId)}` });
      onClose();
    } catch (thrown) {
      setError(problemOf(thrown).detail);
      setPending(false);
    }
  };
  return (
    <form
      className={styles.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void move(fromLocal(text));
      }}
    >
      <Field label="Not before" error={error} hint={`Your time (${cityOf(MY_ZONE)}).`}>
        {(control) => (
          <input
            {...control}
            type="datetime-local"
            step={1}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        )}
      </Field>
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button disabled={pending} onClick={() => void move(new Date(serverNow()).toISOString())}>
          Start it now
        </Button>
        <Button type="submit" look="primary" disabled={pending}>
          {pending ? "Moving…" : "Move job"}
        </Button>
      </DialogActions>
    </form>
  );
}
