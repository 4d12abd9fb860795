import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { problemOf } from "../api/problem.js";
import { OUTCOMES } from "../outcomes/outcomes.js";
import { OutcomeMark } from "../outcomes/OutcomeMark.js";
import { Button } from "../parts/Button.js";
import { Dialog, DialogActions } from "../parts/Dialog.js";
import { Field } from "../parts/Field.js";
import { Loadable } from "../parts/States.js";
import { say } from "../parts/toasts.js";
import { count, counted } from "../time/format.js";
import { jobsChanged } from "./actions.js";
import { countMeant, doToMeant, type Counted, type Deed, type Meant } from "./bulk.js";
import styles from "./jobs.module.css";

const WORDS = {
  cancel: { verb: "Cancel", done: "Canceled", working: "Canceling…" },
  retry: { verb: "Run again", done: "Ran again", working: "Working…" },
} as const;

interface BulkDialogProps {
  deed: Deed;
  meant: readonly Meant[];
  /** `3 selected jobs`, `all jobs that match`. */
  what: string;
  onClose: () => void;
  onDone: () => void;
}

/** Says what would be done to how many, by the server's own count, and does it. */
export function BulkDialog({ deed, meant, what, onClose, onDone }: BulkDialogProps) {
  const query = useQuery({
    queryKey: ["jobs", "meant", deed, meant],
    queryFn: () => countMeant(deed, meant),
    gcTime: 0,
    staleTime: Infinity,
  });
  return (
    <Dialog open onClose={onClose} title={`${WORDS[deed].verb}: ${what}`}>
      <Loadable query={query}>
        {(found) => (
          <Plan deed={deed} meant={meant} found={found} onClose={onClose} onDone={onDone} />
        )}
      </Loadable>
    </Dialog>
  );
}

interface PlanProps extends Omit<BulkDialogProps, "what"> {
  found: Counted;
}

function Plan({ deed, meant, found, onClose, onDone }: PlanProps) {
  const [reason, setReason] = useState("");
  const [pending, setPending] = useState(false);
  const [problem, setProblem] = useState<string>();
  const { verb, done, working } = WORDS[deed];
  const jobs = found.total - found.skipped;
  const many = `${counted(jobs, "job")}${found.capped ? " and more" : ""}`;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setPending(true);
    setProblem(undefined);
    try {
      const changed = await doToMeant(deed, meant, reason.trim() || undefined);
      say({ title: `${done} ${counted(changed, "job")}` });
      onDone();
      await jobsChanged();
    } catch (thrown) {
      setProblem(problemOf(thrown).detail);
      setPending(false);
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)} className={styles.form}>
      {jobs === 0 ? <p>{nothing(deed, found)}</p> : <Consequence deed={deed} found={found} />}
      {deed === "cancel" && jobs > 0 && (
        <Field label="Why? (optional)" hint="Kept with the jobs, and in the audit log.">
          {(control) => (
            <input
              {...control}
              maxLength={1000}
              value={reason}
              onChange={(event) => setReason(event.target.value)}
            />
          )}
        </Field>
      )}
      {problem && (
        <p role="alert" className={styles.problem}>
          {problem}
        </p>
      )}
      <DialogActions>
        <Button autoFocus onClick={onClose} disabled={pending}>
          {jobs === 0 ? "Close" : "Keep them"}
        </Button>
        {jobs > 0 && (
          <Button type="submit" look={deed === "cancel" ? "danger" : "primary"} disabled={pending}>
            {pending ? working : `${verb} ${many}`}
          </Button>
        )}
      </DialogActions>
    </form>
  );
}

const nothing = (deed: Deed, { skipped }: Counted) =>
  deed === "cancel"
    ? "None of them is waiting or running any more."
    : skipped > 0
      ? `All ${count(skipped)} have been run again already.`
      : "None of them has ended in a way that can be run again.";

function Consequence({ deed, found }: { deed: Deed; found: Counted }) {
  const { byStatus, skipped, capped } = found;
  return (
    <>
      <ul className={styles.counts} aria-label="What is meant">
        {byStatus.map(({ status, jobs }) => (
          <li key={status}>
            <OutcomeMark outcome={status} />
            <strong className="num">
              {count(jobs)}
              {capped && "+"}
            </strong>{" "}
            {OUTCOMES[status].word}
          </li>
        ))}
      </ul>
      {skipped > 0 && <p>{counted(skipped, "job")} of them ran again already: passed over.</p>}
      <p>
        {deed === "cancel"
          ? "Waiting jobs will never start. Running ones are told to stop; what they have done stays done."
          : "Each is run as a new job with the same payload, linked to the old one, which stays as it is."}
      </p>
      {capped && <p>There may be more than were counted: all that match are meant.</p>}
    </>
  );
}
