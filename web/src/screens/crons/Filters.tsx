import { X } from "lucide-react";
import { STATES } from "../../crons/state.js";
import {
  CRON_ORDERS,
  CRON_STATES,
  CRON_TARGETS,
  TARGET_WORDS,
  type CronState,
} from "../../crons/types.js";
import { Button } from "../../parts/Button.js";
import { Select } from "../../parts/Field.js";
import { SearchBox } from "../../parts/SearchBox.js";
import { Toggle } from "../../parts/Toggle.js";
import styles from "./crons.module.css";
import type { cronsSearch } from "./search.js";

type Filter = ReturnType<typeof cronsSearch.parse>;

interface FiltersProps {
  filter: Filter;
  onChange: (changes: Partial<Filter>, how?: { replace?: boolean }) => void;
}

const ORDERS = {
  attention: "Needs attention first",
  name: "By name",
  next: "By next slot",
  last: "By last slot",
} as const;

/** Without any filter. */
export const WIDE = { q: "", state: [], target: [] } as const satisfies Partial<Filter>;

/** Whether a filter leaves anything out. */
export const isNarrow = ({ q, state, target }: Filter): boolean =>
  q !== "" || state.length > 0 || target.length > 0;

/** What narrows the list: all of it is in the URL. */
export function Filters({ filter, onChange }: FiltersProps) {
  const { q, state, target, order } = filter;
  const [only] = target;
  const toggle = (one: CronState) =>
    onChange({
      state: state.includes(one) ? state.filter((other) => other !== one) : [...state, one],
    });
  return (
    <div className={styles.filters} role="search" aria-label="Crons">
      <SearchBox
        label="Search crons"
        placeholder="Name or schedule in words"
        value={q}
        onChange={(text) => onChange({ q: text }, { replace: q !== "" })}
      />
      <span className={styles.gap} />
      {isNarrow(filter) && (
        <Button look="quiet" small onClick={() => onChange(WIDE)}>
          <X size={13} aria-hidden="true" /> Clear
        </Button>
      )}
      <Select
        label="Target"
        value={only ?? "any"}
        options={[
          ["any", "Any target"],
          ...CRON_TARGETS.map((one) => [one, TARGET_WORDS[one]] as const),
        ]}
        onChange={(one) => onChange({ target: one === "any" ? [] : [one] })}
      />
      <Select
        label="Order"
        value={order}
        options={CRON_ORDERS.map((one) => [one, ORDERS[one]])}
        onChange={(next) => onChange({ order: next })}
      />
      <div className={styles.states} role="group" aria-label="States">
        {CRON_STATES.map((one) => {
          const { word, icon: Icon } = STATES[one];
          return (
            <Toggle key={one} on={state.includes(one)} onToggle={() => toggle(one)}>
              <Icon size={13} aria-hidden="true" />
              {word}
            </Toggle>
          );
        })}
      </div>
    </div>
  );
}
