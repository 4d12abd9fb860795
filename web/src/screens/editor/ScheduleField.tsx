import { useRef, type ComponentType } from "react";
import { Field } from "../../parts/Field.js";
import { RadioCards } from "../../parts/RadioCards.js";
import { MY_ZONE } from "../../time/times.js";
import { dateKey } from "../../time/format.js";
import { serverNow } from "../../time/clock.js";
import { CronBuilder, OnceBuilder, RateBuilder, SecondsBuilder } from "./builders.js";
import styles from "./editor.module.css";
import { formOf, type Form } from "./schedule-text.js";

interface ScheduleFieldProps {
  value: string;
  onChange: (value: string) => void;
  error: string | undefined;
  /** Where in the text it is wrong. */
  mark: readonly [from: number, to: number] | undefined;
}

const FORMS: readonly { value: Form; title: string; text: string }[] = [
  {
    value: "cron",
    title: "Clock and calendar",
    text: "A cron expression. Keeps the local hour through clock changes.",
  },
  { value: "seconds", title: "Seconds", text: "Every 1 to 59 seconds, counted from midnight UTC." },
  {
    value: "rate",
    title: "Rate",
    text: "Every so many minutes, hours or days. A day is 24 hours.",
  },
  { value: "once", title: "Once", text: "One time. Stays listed as done." },
];

const HINTS: Readonly<Record<Form, string>> = {
  cron: "Five fields: minute hour day month weekday. Digits and * / , -, and $ for the last day.",
  seconds: "Write 10 seconds. Numbers that divide 60 keep their beat in every minute.",
  rate: "Write every 90 minutes, or every 2 days from 2026-05-08T10:30.",
  once: "Write at 2026-12-24T18:00. Add Z or +01:00 to fix the instant whatever the zone.",
};

const BUILDERS: Readonly<
  Record<Form, ComponentType<{ schedule: string; onChange: (schedule: string) => void }>>
> = { cron: CronBuilder, seconds: SecondsBuilder, rate: RateBuilder, once: OnceBuilder };

const begin = (form: Form): string => {
  switch (form) {
    case "cron":
      return "0 9 * * *";
    case "seconds":
      return "10 seconds";
    case "rate":
      return "every 2 hours";
    case "once":
      return `at ${dateKey(serverNow() + 86_400_000, MY_ZONE)}T09:00`;
  }
};

/** When it fires: the text that will be saved, and what helps to write it. */
export function ScheduleField({ value, onChange, error, mark }: ScheduleFieldProps) {
  const form = formOf(value);
  // What was written in the other forms is there again when one comes back.
  const drafts = useRef<Partial<Record<Form, string>>>({});
  const choose = (next: Form) => {
    drafts.current[form] = value;
    onChange(drafts.current[next] ?? begin(next));
  };
  const Builder = BUILDERS[form];
  return (
    <div className={styles.schedule}>
      <RadioCards label="Kind of schedule" value={form} options={FORMS} onChange={choose} />
      <Field label="Schedule" error={error} hint={HINTS[form]}>
        {(control) => (
          <>
            <input
              {...control}
              name="schedule"
              className={`${control.className ?? ""} ${styles.text ?? ""}`}
              value={value}
              maxLength={500}
              spellCheck={false}
              autoComplete="off"
              autoCapitalize="none"
              onChange={(event) => onChange(event.target.value)}
            />
            {error !== undefined && mark !== undefined && (
              <Mirror text={value} from={mark[0]} to={mark[1]} />
            )}
          </>
        )}
      </Field>
      <Builder schedule={value} onChange={onChange} />
    </div>
  );
}

/** The text once more, with what is wrong underlined: by carets, not by colour alone. */
function Mirror({ text, from, to }: { text: string; from: number; to: number }) {
  const carets = " ".repeat(from) + "^".repeat(Math.max(1, to - from));
  return (
    <pre className={styles.mirror} aria-hidden="true">
      {`${text}\n${carets}`}
    </pre>
  );
}
