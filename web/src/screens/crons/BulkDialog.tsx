import { useEffect, useRef, useState, type FormEvent } from "react";
import { problemOf } from "../../api/problem.js";
import { cronsChanged } from "../../crons/actions.js";
import {
  doToEach,
  nobody,
  sortOut,
  type Deed,
  type Meant,
  type Progress,
} from "../../crons/bulk.js";
import type { CronSummary } from "../../crons/types.js";
import { Button } from "../../parts/Button.js";
import { Dialog, DialogActions } from "../../parts/Dialog.js";
import { Field } from "../../parts/Field.js";
import { say } from "../../parts/toasts.js";
import { count, counted } from "../../time/format.js";
import { Consequence } from "./Consequence.js";
import styles from "./bulk.module.css";

export const DEEDS = {
  pause: { verb: "Pause", done: "Paused" },
  resume: { verb: "Resume", done: "Resumed" },
  delete: { verb: "Delete", done: "Deleted" },
} as const;

/** Reads those that are selected, a part at a time. */
export type Read = (
  signal: AbortSignal,
) => AsyncIterable<readonly CronSummary[]> | Iterable<readonly CronSummary[]>;

interface BulkDialogProps {
  deed: Deed;
  read: Read;
  onClose: () => void;
  /** After something was done. */
  onDone: () => void;
}

/** From so many on their number has to be typed before they are deleted. */
const MANY = 100;

/** Reads which are meant, says what would be done to how many, and does it to one after the other. */
export function BulkDialog({ deed, read, onClose, onDone }: BulkDialogProps) {
  const { meant, problem, whole } = useMeant(deed, read);
  const [progress, setProgress] = useState<Progress>();
  const [ended, setEnded] = useState(false);
  const stop = useRef(new AbortController());
  const { verb, done } = DEEDS[deed];
  const crons = counted(meant.crons.length, "cron");

  const act = async (note: string) => {
    setProgress({ done: 0, failed: [] });
    const result = await doToEach(deed, meant.crons, note, stop.current.signal, setProgress);
    await cronsChanged();
    const all = result.done === meant.crons.length;
    say({ title: `${done} ${count(result.done)} of ${crons}`, failed: !all });
    if (all) onDone();
    else setEnded(true);
  };
  return (
    <Dialog
      open
      {...(progress === undefined && { onClose })}
      title={whole ? `${verb} ${crons}` : `${verb} crons`}
    >
      {problem !== undefined ? (
        <p role="alert" className={styles.problem}>
          {problem}
        </p>
      ) : !whole ? (
        <p role="status">Reading which: {counted(meant.crons.length, "cron")} so far…</p>
      ) : progress === undefined ? (
        <Question deed={deed} meant={meant} onClose={onClose} onAct={(note) => void act(note)} />
      ) : (
        <Working
          deed={deed}
          total={meant.crons.length}
          progress={progress}
          ended={ended}
          onStop={() => stop.current.abort()}
          onClose={onDone}
        />
      )}
    </Dialog>
  );
}

/** Which are meant, as far as they are read. */
function useMeant(deed: Deed, read: Read) {
  const [meant, setMeant] = useState<Meant>(nobody);
  const [whole, setWhole] = useState(false);
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    const ending = new AbortController();
    const all = async () => {
      let found = nobody();
      for await (const some of read(ending.signal)) {
        found = sortOut(deed, found, some);
        if (ending.signal.aborted) return;
        setMeant(found);
      }
      setWhole(true);
    };
    all().catch((error: unknown) => {
      if (!ending.signal.aborted) setProblem(problemOf(error).detail);
    });
    return () => ending.abort();
  }, [deed, read]);
  return { meant, whole, problem };
}

interface QuestionProps {
  deed: Deed;
  meant: Meant;
  onClose: () => void;
  onAct: (note: string) => void;
}

function Question({ deed, meant, onClose, onAct }: QuestionProps) {
  const [note, setNote] = useState("");
  const [typed, setTyped] = useState("");
  const many = meant.crons.length;
  const mustType = deed === "delete" && many >= MANY;
  const missing = mustType && typed.replace(/\D/g, "") !== String(many);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!missing) onAct(note);
  };
  return (
    <form onSubmit={submit} className={styles.form}>
      <Consequence deed={deed} meant={meant} />
      {deed === "pause" && many > 0 && (
        <Field label="Why? (optional)" hint="Shown wherever the crons are, with your name.">
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
      )}
      {mustType && (
        <Field label={`Type ${many} to confirm`}>
          {(control) => (
            <input
              {...control}
              inputMode="numeric"
              autoComplete="off"
              value={typed}
              onChange={(event) => setTyped(event.target.value)}
            />
          )}
        </Field>
      )}
      <DialogActions>
        <Button autoFocus={deed !== "pause" || many === 0} onClick={onClose}>
          {many === 0 ? "Close" : "Cancel"}
        </Button>
        {many > 0 && (
          <Button type="submit" look={deed === "delete" ? "danger" : "primary"} disabled={missing}>
            {DEEDS[deed].verb} {counted(many, "cron")}
          </Button>
        )}
      </DialogActions>
    </form>
  );
}

interface WorkingProps {
  deed: Deed;
  total: number;
  progress: Progress;
  ended: boolean;
  onStop: () => void;
  onClose: () => void;
}

const LISTED = 10;

/** How far it has come, and what was refused. */
function Working({
  deed,
  total,
  progress: { done, failed },
  ended,
  onStop,
  onClose,
}: WorkingProps) {
  const left = total - done - failed.length;
  return (
    <div className={styles.form}>
      <p role="status" className="num">
        {DEEDS[deed].done} {count(done)} of {counted(total, "cron")}
        {failed.length > 0 && `, ${count(failed.length)} refused`}
        {ended && left > 0 && `, ${count(left)} left as they were`}.
      </p>
      <progress max={total} value={done + failed.length} aria-label="How far it has come" />
      {failed.length > 0 && (
        <ul className={styles.failed}>
          {failed.slice(0, LISTED).map((line) => (
            <li key={line} dir="auto">
              {line}
            </li>
          ))}
          {failed.length > LISTED && <li>and {count(failed.length - LISTED)} more</li>}
        </ul>
      )}
      <DialogActions>
        {ended ? (
          <Button look="primary" onClick={onClose}>
            Close
          </Button>
        ) : (
          <Button onClick={onStop}>Stop</Button>
        )}
      </DialogActions>
    </div>
  );
}
