import { Field } from "../../parts/Field.js";
import { Suggest, type Suggestion } from "../../parts/Suggest.js";
import { MY_ZONE } from "../../time/times.js";
import { useZones } from "./use-zones.js";

interface ZoneFieldProps {
  value: string;
  /** What the cron has now: always among those offered. */
  stored: string;
  onChange: (value: string) => void;
  error: string | undefined;
}

/** Whose wall clock the schedule follows; any zone the database knows, as it is called there. */
export function ZoneField({ value, stored, onChange, error }: ZoneFieldProps) {
  const zones = useZones();
  return (
    <Field
      label="Time zone"
      error={error}
      hint="Whose wall clock the schedule follows. Type a city or country."
    >
      {(control) => (
        <Suggest
          {...control}
          name="timezone"
          value={value}
          onChange={onChange}
          suggestions={offered(zones, stored)}
          limit={60}
          spellCheck={false}
          autoComplete="off"
        />
      )}
    </Field>
  );
}

/** One's own first, then the cron's and GMT, then all the others. */
function offered(zones: readonly Suggestion[], stored: string): Suggestion[] {
  const hints: Record<string, string> = {
    [MY_ZONE]: "yours",
    [stored]: "as it is",
    GMT: "default",
  };
  const first = [...new Set([MY_ZONE, stored, "GMT"])].map((value) => {
    const known = zones.find((zone) => zone.value === value);
    return { ...known, value, hint: [hints[value], known?.hint].filter(Boolean).join(" · ") };
  });
  const rest = zones.filter(({ value }) => !first.some((one) => one.value === value));
  return [...first, ...rest];
}
