import { X } from "lucide-react";
import type { ReactNode } from "react";
import { isNarrow, WITHIN, type JobOrder, type Within } from "../../jobs/choice.js";
import { useCronName } from "../../jobs/CronLink.js";
import type { StatusCounts } from "../../jobs/queries.js";
import {
  STATUSES,
  TRIGGERS,
  TRIGGER_WORDS,
  type JobStatus,
  type ListedJob,
} from "../../jobs/types.js";
import { OUTCOMES } from "../../outcomes/outcomes.js";
import { OutcomeMark } from "../../outcomes/OutcomeMark.js";
import { Button } from "../../parts/Button.js";
import { Select } from "../../parts/Field.js";
import { Toggle } from "../../parts/Toggle.js";
import { SearchBox } from "../../parts/SearchBox.js";
import { count } from "../../time/format.js";
import { Time } from "../../time/Time.js";
import { CronPicker } from "./CronPicker.js";
import styles from "./jobs.module.css";
import { ALL_JOBS, type jobsSearch } from "./search.js";

type Filter = ReturnType<typeof jobsSearch.parse>;

interface FiltersProps {
  filter: Filter;
  onChange: (changes: Partial<Filter>, how?: { replace?: boolean }) => void;
  /** The one app that is shown, where it is one. */
  appId: string | undefined;
  /** Absent while they are not known. */
  counts: StatusCounts | undefined;
  /** A cron belongs to an app: both are chosen. */
  onCron: (appId: string, cronId: string) => void;
}

const WITHIN_WORDS: Readonly<Record<Within, string>> = {
  any: "At any time",
  "1h": "Last hour",
  "24h": "Last 24 hours",
  "7d": "Last 7 days",
  "30d": "Last 30 days",
};

const ORDER_WORDS: Readonly<Record<JobOrder, string>> = {
  newest: "Newest first",
  oldest: "Oldest first",
  due: "Waiting, next due first",
};

const toggled = <T,>(list: readonly T[], one: T): T[] =>
  list.includes(one) ? list.filter((other) => other !== one) : [...list, one];

/** What narrows the list: all of it is in the URL. */
export function Filters({ filter, onChange, appId, counts, onCron }: FiltersProps) {
  const { status, trigger, cron, tag, within, after, before, order } = filter;
  const cronName = useCronName(appId ?? "", cron === "" ? null : cron);
  const changeOrder = (next: JobOrder) =>
    onChange(next === "due" ? { order: next, status: ["queued", "pending"] } : { order: next });
  return (
    <div className={styles.filters} role="search" aria-label="Jobs">
      <div className={styles.states} role="group" aria-label="Statuses">
        {STATUSES.map((one: JobStatus) => (
          <Toggle
            key={one}
            on={status.includes(one)}
            onToggle={() => onChange({ status: toggled(status, one) })}
          >
            <OutcomeMark outcome={one} size={11} />
            {capital(OUTCOMES[one].word)}
            {counts && <span className={styles.many}>{manyOf(counts[one])}</span>}
          </Toggle>
        ))}
      </div>
      <div className={styles.states} role="group" aria-label="Made by">
        {TRIGGERS.map((one: ListedJob["trigger"]) => (
          <Toggle
            key={one}
            on={trigger.includes(one)}
            onToggle={() => onChange({ trigger: toggled(trigger, one) })}
          >
            {capital(TRIGGER_WORDS[one])}
          </Toggle>
        ))}
      </div>
      <span className={styles.gap} />
      {isNarrow(filter) && (
        <Button look="quiet" small onClick={() => onChange(ALL_JOBS)}>
          <X size={13} aria-hidden="true" /> Clear
        </Button>
      )}
      <div className={styles.line}>
        <SearchBox
          label="Tag"
          placeholder="Tag"
          value={tag}
          onChange={(text) => onChange({ tag: text }, { replace: tag !== "" })}
        />
        {cron === "" ? (
          <CronPicker onPick={onCron} />
        ) : (
          <Removable what={`cron ${cronName}`} onRemove={() => onChange({ cron: "" })}>
            Cron: <strong dir="auto">{cronName}</strong>
          </Removable>
        )}
        {after !== undefined && (
          <Removable what="the beginning" onRemove={() => onChange({ after: undefined })}>
            From <Time at={after} seconds />
          </Removable>
        )}
        {before !== undefined && (
          <Removable what="the end" onRemove={() => onChange({ before: undefined })}>
            Before <Time at={before} seconds />
          </Removable>
        )}
        <Select
          label="Enqueued"
          value={within}
          options={(Object.keys(WITHIN) as Within[]).map((one) => [one, WITHIN_WORDS[one]])}
          onChange={(next) => onChange({ within: next })}
        />
        <Select
          label="Order"
          value={order}
          options={(Object.keys(ORDER_WORDS) as JobOrder[]).map((one) => [one, ORDER_WORDS[one]])}
          onChange={changeOrder}
        />
      </div>
    </div>
  );
}

/** Sums of what was not counted to its end are no more exact than that. */
const manyOf = ({ count: many, capped }: StatusCounts[JobStatus]) =>
  capped ? `${count(Math.floor(many / 1000) * 1000)}+` : count(many);

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);

function Removable(props: { what: string; onRemove: () => void; children: ReactNode }) {
  const { what, onRemove, children } = props;
  return (
    <span className={styles.removable}>
      {children}
      <button type="button" aria-label={`Remove the filter: ${what}`} onClick={onRemove}>
        <X size={13} aria-hidden="true" />
      </button>
    </span>
  );
}
