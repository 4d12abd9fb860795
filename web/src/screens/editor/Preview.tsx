import { CarillonApiError } from "carillon/client";
import { Button } from "../../parts/Button.js";
import { Card } from "../../parts/Page.js";
import { EmptyState, ErrorState, Loading, Notice } from "../../parts/States.js";
import { Table, Th } from "../../parts/Table.js";
import { useNow } from "../../time/clock.js";
import { counted, wallTime } from "../../time/format.js";
import { Ago } from "../../time/Time.js";
import { useTimeStyle } from "../../time/times.js";
import styles from "./editor.module.css";
import { SLOTS, type Preview } from "./queries.js";
import type { PreviewState } from "./use-preview.js";

type Slot = Preview["slots"][number];

interface PreviewPanelProps {
  preview: PreviewState;
  /** The slots ahead as the cron is saved; absent for a new one. */
  saved: readonly Slot[] | undefined;
  /** Takes a schedule that may be meant instead. */
  onUse: (schedule: string) => void;
}

/** What the schedule means, and when it fires: as the server has it. */
export function PreviewPanel({ preview, saved, onUse }: PreviewPanelProps) {
  const { data, error, stale, loading, retry } = preview;
  const refused = error instanceof CarillonApiError && error.status === 400;
  return (
    <Card title="What this means" flush>
      <div className={styles.meaning} data-stale={stale || undefined}>
        <p className={styles.sentence} role="status" aria-busy={loading}>
          {refused
            ? "Not a schedule yet."
            : (data?.description ?? (error === null ? "Say when it fires." : ""))}
        </p>
        {error !== null && !refused && <ErrorState error={error} onRetry={retry} />}
        {data && !refused && <Notes notes={data.notes} onUse={onUse} />}
        {data && !refused && <Slots slots={data.slots} saved={saved} />}
        {!data && loading && error === null && <Loading rows={SLOTS} height="1.75rem" />}
        {data && !refused && data.slots.length === 0 && (
          <EmptyState title="No slot is ahead">As it stands, it never fires.</EmptyState>
        )}
      </div>
    </Card>
  );
}

/** What should be known of it, though it is not wrong. */
function Notes({ notes, onUse }: { notes: Preview["notes"]; onUse: (schedule: string) => void }) {
  if (notes.length === 0) return null;
  return (
    <ul className={styles.notes}>
      {notes.map(({ code, severity, text, fix }) => (
        <li key={`${code} ${text}`}>
          <Notice tone={severity === "warning" ? "late" : "info"}>
            {text}
            {fix !== undefined && (
              <Button small onClick={() => onUse(fix)}>
                Use <code>{fix}</code>
              </Button>
            )}
          </Notice>
        </li>
      ))}
    </ul>
  );
}

function Slots({ slots, saved }: { slots: readonly Slot[]; saved: readonly Slot[] | undefined }) {
  const { hour12 } = useTimeStyle();
  const now = useNow(60_000);
  const rows = compare(slots, saved);
  const fresh = rows.filter(({ change }) => change === "new");
  const gone = rows.filter(({ change }) => change === "gone").length;
  const [first] = fresh;
  if (rows.length === 0) return null;
  return (
    <>
      {(fresh.length > 0 || gone > 0) && (
        <p className={styles.effect}>
          Changes {counted(Math.max(fresh.length, gone), "slot")} of the next {SLOTS}.
          {first && (
            <>
              {" "}
              First new one: {wallTime(first.slot.local, hour12, now)} {first.slot.offset}.
            </>
          )}
        </p>
      )}
      <Table
        caption={`Next ${slots.length} slots`}
        head={
          <>
            <Th>In its zone</Th>
            <Th className={styles.utc}>UTC</Th>
            <Th right>Due</Th>
          </>
        }
      >
        {rows.map(({ slot, change, turns }) => (
          <tr key={`${slot.at} ${change ?? ""}`} data-change={change}>
            <td className="num">
              {change && (
                <span className={styles.change}>{change === "new" ? "+ new" : "− gone"}</span>
              )}
              {change === "gone" ? (
                <del>{wallTime(slot.local, hour12, now)}</del>
              ) : (
                wallTime(slot.local, hour12, now)
              )}{" "}
              {turns ? (
                <strong className="small">{slot.offset}</strong>
              ) : (
                <span className="muted small">{slot.offset}</span>
              )}
              {slot.note && <p className={styles.note}>{slot.note}</p>}
            </td>
            <td className={`num ${styles.utc ?? ""}`}>{wallTime(slot.at, hour12, now)}</td>
            <td data-right>{change === "gone" ? "—" : <Ago at={slot.at} />}</td>
          </tr>
        ))}
      </Table>
    </>
  );
}

interface Row {
  slot: Slot;
  change: "new" | "gone" | undefined;
  /** Its offset is not that of the one before. */
  turns: boolean;
}

/** Both lists in one, as far as both reach. */
function compare(slots: readonly Slot[], saved: readonly Slot[] | undefined): Row[] {
  const before = saved ?? slots;
  const last = slots.length < SLOTS ? undefined : slots.at(-1)?.at;
  const reach = before.length < SLOTS ? undefined : before.at(-1)?.at;
  const had = new Set(before.map(({ at }) => at));
  const has = new Set(slots.map(({ at }) => at));
  const gone = before
    .filter(({ at }) => !has.has(at) && (last === undefined || at < last))
    .map((slot) => ({ slot, change: "gone" as const }));
  const kept = slots.map((slot) => ({
    slot,
    // What lies beyond the old list may well have been in it.
    change:
      had.has(slot.at) || (reach !== undefined && slot.at > reach) ? undefined : ("new" as const),
  }));
  const all = [...kept, ...gone].sort((a, b) => a.slot.at.localeCompare(b.slot.at));
  return all.map((row, at) => ({
    ...row,
    turns: at > 0 && all[at - 1]?.slot.offset !== row.slot.offset,
  }));
}
