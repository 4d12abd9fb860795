import { CarillonApiError, type Cron } from "carillon/client";
import { useState, type FormEvent } from "react";
import { problemOf, sentence } from "../../api/problem.js";
import { cronsChanged } from "../../crons/actions.js";
import { Button } from "../../parts/Button.js";
import { Dialog, DialogActions } from "../../parts/Dialog.js";
import { Field } from "../../parts/Field.js";
import { say } from "../../parts/toasts.js";
import { client } from "../../session/session.js";
import { serverNow } from "../../time/clock.js";
import { cityOf, counted, knownZone } from "../../time/format.js";
import { useTimeStyle } from "../../time/times.js";
import { fromWall, toWall } from "../../time/wall.js";
import styles from "./backfill.module.css";
import { FoundSlots } from "./FoundSlots.js";

interface BackfillDialogProps {
  cron: Cron;
  open: boolean;
  onClose: () => void;
}

/** Runs slots of the past that have no tick, after showing which they are. */
export function BackfillDialog({ cron, open, onClose }: BackfillDialogProps) {
  return (
    <Dialog open={open} onClose={onClose} title={`Backfill ${cron.name}`} wide>
      {open && <BackfillForm cron={cron} onClose={onClose} />}
    </Dialog>
  );
}

const FIELDS = ["from", "to", "concurrency"] as const;
type Name = (typeof FIELDS)[number];
type Errors = Partial<Record<Name, string>>;

const DAY_MS = 86_400_000;

function BackfillForm({ cron, onClose }: { cron: Cron; onClose: () => void }) {
  const zone = knownZone(useTimeStyle(cron.timezone).zone);
  const [values, setValues] = useState(() => ({
    from: toWall(serverNow() - DAY_MS, zone),
    to: toWall(serverNow(), zone),
    concurrency: "1",
  }));
  const [found, setFound] = useState<readonly string[]>();
  const [errors, setErrors] = useState<Errors>({});
  const [problem, setProblem] = useState<string>();
  const [pending, setPending] = useState(false);

  const ask = async (dryRun: boolean) => {
    const read = rangeOf(values, zone);
    setErrors(read.errors);
    setProblem(undefined);
    if (read.range === undefined) return;
    setPending(true);
    try {
      const { slots, count } = await client().crons.backfill(cron.appId, cron.id, {
        ...read.range,
        dryRun,
      });
      if (dryRun) setFound(slots);
      else {
        await cronsChanged();
        say({ title: `${cron.name}: backfill of ${counted(count, "slot")} has begun` });
        onClose();
        return;
      }
    } catch (thrown) {
      const placed = placedErrors(thrown);
      setErrors(placed);
      setFound(undefined);
      if (Object.keys(placed).length === 0) setProblem(problemOf(thrown).detail);
    }
    setPending(false);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void ask(found === undefined);
  };
  const field = (name: Name) => ({
    value: values[name],
    onChange: (event: { target: { value: string } }) => {
      setValues({ ...values, [name]: event.target.value });
      // Those were the slots of another range.
      if (name !== "concurrency") setFound(undefined);
    },
  });
  const clock = `The clock of ${cityOf(zone)}.`;
  const none = found?.length === 0;
  return (
    <form onSubmit={submit} className={styles.form} noValidate>
      <p>
        Makes the jobs of slots that nothing was decided about: from before the cron was made, or
        while nothing could fire. By its schedule as it is now, oldest first. Slots in the ledger,
        missed ones too, stay as they are.
      </p>
      <div className={styles.range}>
        <Field label="From" error={errors.from} hint={clock}>
          {(control) => <input {...control} {...field("from")} type="datetime-local" step={1} />}
        </Field>
        <Field label="To" error={errors.to} hint={`${clock} Not in the future.`}>
          {(control) => <input {...control} {...field("to")} type="datetime-local" step={1} />}
        </Field>
        <Field
          label="Jobs at once"
          error={errors.concurrency}
          hint="More of them wait until one has ended."
        >
          {(control) => <input {...control} {...field("concurrency")} inputMode="numeric" />}
        </Field>
      </div>
      <div role="status">{found && <FoundSlots slots={found} zone={cron.timezone} />}</div>
      {problem && (
        <p role="alert" className={styles.problem}>
          {problem}
        </p>
      )}
      <DialogActions>
        <Button onClick={onClose}>{none ? "Close" : "Cancel"}</Button>
        {found === undefined ? (
          <Button type="submit" look="primary" disabled={pending}>
            {pending ? "Looking…" : "Show the slots"}
          </Button>
        ) : (
          !none && (
            <Button type="submit" look="primary" disabled={pending}>
              {pending ? "Enqueuing…" : `Run ${counted(found.length, "slot")}`}
            </Button>
          )
        )}
      </DialogActions>
    </form>
  );
}

interface Range {
  from: string;
  to: string;
  concurrency: number;
}

/** What was typed as the API takes it; which times are allowed is the server's to say. */
function rangeOf(
  values: Readonly<Record<Name, string>>,
  zone: string,
): { range?: Range; errors: Errors } {
  const from = fromWall(values.from, zone);
  const to = fromWall(values.to, zone);
  const whole = /^\d{1,9}$/.test(values.concurrency.trim());
  const errors: Errors = {
    ...(from === undefined && { from: "Give a day and a time." }),
    ...(to === undefined && { to: "Give a day and a time." }),
    ...(!whole && { concurrency: "Give a whole number, such as 3." }),
  };
  if (from === undefined || to === undefined || !whole) return { errors };
  return { range: { from, to, concurrency: Number(values.concurrency) }, errors };
}

function placedErrors(thrown: unknown): Errors {
  if (!(thrown instanceof CarillonApiError)) return {};
  const entries = thrown.fields.flatMap(({ field, message }) => {
    const name = FIELDS.find((one) => one === field);
    return name === undefined ? [] : [[name, sentence(message)] as const];
  });
  return Object.fromEntries(entries);
}
