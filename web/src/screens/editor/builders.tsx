import type { ReactNode } from "react";
import { Select } from "../../parts/Field.js";
import styles from "./editor.module.css";
import {
  buildCron,
  buildOnce,
  buildRate,
  buildSeconds,
  readCron,
  readOnce,
  readRate,
  readSeconds,
  type CronPlan,
  type RatePlan,
} from "./schedule-text.js";

interface BuilderProps {
  schedule: string;
  onChange: (schedule: string) => void;
}

/** For a text that a helper would not give back as it is. */
export function Custom() {
  return <p className={styles.custom}>Custom: edit as text.</p>;
}

const EVERY = [
  ["minutes", "Every few minutes"],
  ["hour", "Every hour"],
  ["day", "Every day"],
  ["week", "Every week"],
  ["month", "Every month"],
] as const;

const PLANS: Readonly<Record<CronPlan["every"], CronPlan>> = {
  minutes: { every: "minutes", step: 5 },
  hour: { every: "hour", minute: 0 },
  day: { every: "day", hour: 9, minute: 0 },
  week: { every: "week", hour: 9, minute: 0, days: [1, 2, 3, 4, 5] },
  month: { every: "month", hour: 9, minute: 0, day: 1 },
};

/** Writes the expressions that are written most. */
export function CronBuilder({ schedule, onChange }: BuilderProps) {
  const plan = readCron(schedule);
  const give = (next: CronPlan) => onChange(buildCron(next));
  return (
    <div className={styles.builder} role="group" aria-label="Helper">
      <Select
        label="How often"
        value={plan?.every ?? "custom"}
        options={[...EVERY, ...(plan === undefined ? [["custom", "Custom"] as const] : [])]}
        onChange={(every) => {
          if (every !== "custom") give(PLANS[every]);
        }}
      />
      {plan === undefined ? <Custom /> : <Plan plan={plan} give={give} />}
    </div>
  );
}

function Plan({ plan, give }: { plan: CronPlan; give: (plan: CronPlan) => void }) {
  switch (plan.every) {
    case "minutes":
      return (
        <Labelled text="every">
          <Whole
            label="Minutes"
            value={plan.step}
            least={1}
            most={59}
            onChange={(step) => give({ ...plan, step })}
          />
          minutes
        </Labelled>
      );
    case "hour":
      return (
        <Labelled text="at minute">
          <Whole
            label="Minute"
            value={plan.minute}
            least={0}
            most={59}
            onChange={(minute) => give({ ...plan, minute })}
          />
        </Labelled>
      );
    case "day":
      return <At plan={plan} give={give} />;
    case "week":
      return (
        <>
          <Days days={plan.days} onChange={(days) => give({ ...plan, days })} />
          <At plan={plan} give={give} />
        </>
      );
    case "month":
      return (
        <>
          <Labelled text="on">
            <Select
              label="Day of the month"
              value={String(plan.day)}
              options={[
                ...Array.from(
                  { length: 31 },
                  (_, at) => [String(at + 1), `day ${at + 1}`] as const,
                ),
                ["$", "the last day"] as const,
              ]}
              onChange={(day) => give({ ...plan, day: day === "$" ? "$" : Number(day) })}
            />
          </Labelled>
          <At plan={plan} give={give} />
        </>
      );
  }
}

type Clocked = Extract<CronPlan, { hour: number }>;

function At({ plan, give }: { plan: Clocked; give: (plan: CronPlan) => void }) {
  const two = (value: number) => String(value).padStart(2, "0");
  return (
    <Labelled text="at">
      <input
        type="time"
        aria-label="Time of day"
        className={styles.small}
        value={`${two(plan.hour)}:${two(plan.minute)}`}
        onChange={(event) => {
          const [hour, minute] = event.target.value.split(":").map(Number);
          if (hour !== undefined && minute !== undefined) give({ ...plan, hour, minute });
        }}
      />
    </Labelled>
  );
}

const WEEK = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const;
const WEEK_FROM_MONDAY = [1, 2, 3, 4, 5, 6, 0] as const;

function Days({ days, onChange }: { days: readonly number[]; onChange: (days: number[]) => void }) {
  return (
    <div className={styles.days} role="group" aria-label="Days of the week">
      {WEEK_FROM_MONDAY.map((day) => {
        const on = days.includes(day);
        const others = days.filter((other) => other !== day);
        return (
          <button
            key={day}
            type="button"
            aria-pressed={on}
            // A week without a day would be another schedule.
            disabled={on && others.length === 0}
            onClick={() => onChange(on ? others : [...days, day])}
          >
            {WEEK[day]}
          </button>
        );
      })}
    </div>
  );
}

/** Writes `10 seconds`. */
export function SecondsBuilder({ schedule, onChange }: BuilderProps) {
  const many = readSeconds(schedule);
  if (many === undefined) return <Custom />;
  return (
    <div className={styles.builder} role="group" aria-label="Helper">
      <Labelled text="every">
        <Whole
          label="Seconds"
          value={many}
          least={1}
          most={59}
          onChange={(next) => onChange(buildSeconds(next))}
        />
        seconds
      </Labelled>
    </div>
  );
}

const UNITS = [
  ["minute", "minutes"],
  ["hour", "hours"],
  ["day", "days"],
] as const;

/** Writes `every 2 days from 2026-05-08T10:30`. */
export function RateBuilder({ schedule, onChange }: BuilderProps) {
  const plan = readRate(schedule);
  if (plan === undefined) return <Custom />;
  const give = (changes: Partial<RatePlan>) => onChange(buildRate({ ...plan, ...changes }));
  const local = /^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(plan.from);
  return (
    <div className={styles.builder} role="group" aria-label="Helper">
      <Labelled text="every">
        <Whole
          label="How many"
          value={plan.many}
          least={1}
          most={99_999}
          onChange={(many) => give({ many })}
        />
        <Select
          label="Unit"
          value={plan.unit}
          options={UNITS}
          onChange={(unit) => give({ unit })}
        />
      </Labelled>
      {plan.from === "" || local ? (
        <Labelled text="counted from">
          <input
            type="datetime-local"
            aria-label="Counted from"
            className={styles.small}
            value={plan.from}
            onChange={(event) => give({ from: event.target.value.slice(0, 16) })}
          />
        </Labelled>
      ) : (
        <p className={styles.custom}>Its start has an offset or seconds: edit it as text.</p>
      )}
    </div>
  );
}

/** Writes `at 2026-12-24T18:00`. */
export function OnceBuilder({ schedule, onChange }: BuilderProps) {
  const local = readOnce(schedule);
  if (local === undefined) return <Custom />;
  return (
    <div className={styles.builder} role="group" aria-label="Helper">
      <Labelled text="at">
        <input
          type="datetime-local"
          aria-label="Date and time"
          className={styles.small}
          value={local}
          onChange={(event) => {
            if (event.target.value !== "") onChange(buildOnce(event.target.value.slice(0, 16)));
          }}
        />
      </Labelled>
    </div>
  );
}

function Labelled({ text, children }: { text: string; children: ReactNode }) {
  return (
    <span className={styles.labelled}>
      {text} {children}
    </span>
  );
}

interface WholeProps {
  label: string;
  value: number;
  least: number;
  most: number;
  onChange: (value: number) => void;
}

/** A number; what is not one, or not in range, changes nothing. */
function Whole({ label, value, least, most, onChange }: WholeProps) {
  return (
    <input
      type="number"
      aria-label={label}
      className={styles.number}
      min={least}
      max={most}
      value={value}
      onChange={(event) => {
        const next = event.target.valueAsNumber;
        if (Number.isInteger(next) && next >= least && next <= most) onChange(next);
      }}
    />
  );
}
