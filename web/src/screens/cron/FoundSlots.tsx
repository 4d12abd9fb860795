import { count, counted } from "../../time/format.js";
import { Time } from "../../time/Time.js";
import styles from "./backfill.module.css";

/** More would be a list that nobody reads. */
const SHOWN = 100;

/** Which slots a backfill would run. */
export function FoundSlots({ slots, zone }: { slots: readonly string[]; zone: string }) {
  const [first, last] = [slots[0], slots.at(-1)];
  if (first === undefined || last === undefined) {
    return (
      <p>
        <strong>There is nothing to run:</strong> every slot of this range has been decided.
      </p>
    );
  }
  return (
    <div className={styles.found}>
      <p>
        <strong>{counted(slots.length, "slot")} would run</strong>
        {slots.length === 1 ? ": " : ", from "}
        <Time at={first} zone={zone} seconds offset />
        {slots.length > 1 && (
          <>
            {" to "}
            <Time at={last} zone={zone} seconds offset />
          </>
        )}
        .
      </p>
      <ol className={styles.slots} tabIndex={0} aria-label="Slots that would run">
        {slots.slice(0, SHOWN).map((at) => (
          <li key={at}>
            <Time at={at} zone={zone} seconds offset />
          </li>
        ))}
      </ol>
      {slots.length > SHOWN && (
        <p className="muted small">
          The first {SHOWN} are listed; {count(slots.length - SHOWN)} more follow them.
        </p>
      )}
    </div>
  );
}
