import { AlertDialog } from "@base-ui/react/alert-dialog";
import { useEffect, useRef, useState } from "react";
import { problemOf, type Problem } from "../api/problem.js";
import { useStore } from "../store.js";
import { Button } from "./Button.js";
import { question, type Question } from "./confirm.js";
import styles from "./dialog.module.css";

/** The one place where questions are asked. */
export function Confirmation() {
  const asked = useStore(question);
  const [last, setLast] = useState(asked);
  // What it said stays while it closes.
  useEffect(() => {
    if (asked !== undefined) setLast(asked);
  }, [asked]);
  const shown = asked ?? last;
  return (
    <AlertDialog.Root
      open={asked !== undefined}
      onOpenChange={(open) => open || question.set(undefined)}
    >
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className={styles.backdrop} />
        {shown && <Body key={shown.title} asked={shown} />}
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}

function Body({ asked }: { asked: Question }) {
  const { title, body, verb, danger = false, mustType, instead, run } = asked;
  const cancel = useRef<HTMLButtonElement>(null);
  const [typed, setTyped] = useState("");
  const [pending, setPending] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const close = () => question.set(undefined);
  const act = async () => {
    setPending(true);
    setProblem(undefined);
    try {
      await run();
      close();
    } catch (error) {
      setProblem(problemOf(error));
    } finally {
      setPending(false);
    }
  };
  const missing = mustType !== undefined && typed !== mustType;
  return (
    <AlertDialog.Popup className={styles.popup} initialFocus={cancel}>
      <AlertDialog.Title className={styles.title}>{title}</AlertDialog.Title>
      <AlertDialog.Description className={styles.body} render={<div />}>
        {body}
      </AlertDialog.Description>
      {mustType !== undefined && (
        <label className={styles.field}>
          Type <code>{mustType}</code> to confirm
          <input value={typed} onChange={(event) => setTyped(event.target.value)} />
        </label>
      )}
      {problem && (
        <p role="alert" className={styles.problem}>
          <strong>{problem.title}.</strong> {problem.detail}
        </p>
      )}
      <div className={styles.actions}>
        <Button ref={cancel} onClick={close} disabled={pending}>
          Cancel
        </Button>
        {instead && (
          <Button
            disabled={pending}
            onClick={() => {
              close();
              instead.run();
            }}
          >
            {instead.label}
          </Button>
        )}
        <Button
          look={danger ? "danger" : "primary"}
          disabled={pending || missing}
          onClick={() => void act()}
        >
          {pending ? "Working…" : verb}
        </Button>
      </div>
    </AlertDialog.Popup>
  );
}
