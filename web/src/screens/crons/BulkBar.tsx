import { useState } from "react";
import type { Deed } from "../../crons/bulk.js";
import type { CronSummary } from "../../crons/types.js";
import { Button } from "../../parts/Button.js";
import { SelectionBar } from "../../parts/SelectionBar.js";
import { count, counted } from "../../time/format.js";
import { BulkDialog, DEEDS, type Read } from "./BulkDialog.js";

/** All that the filters mean, those that are not read yet among them. */
export interface Matching {
  count: { count: number; capped: boolean };
  read: Read;
}

interface BulkBarProps {
  /** Those that are selected, of the rows that are there. */
  crons: readonly CronSummary[];
  /** More than these match: they can be selected as well. */
  more: Matching | undefined;
  /** Whether all that match are selected. */
  all: boolean;
  onAll: () => void;
  onDone: () => void;
}

/** What can be done with the selected ones, and with how many of them. */
export function BulkBar({ crons, more, all, onAll, onDone }: BulkBarProps) {
  const [asked, setAsked] = useState<{ deed: Deed; read: Read }>();
  // What was asked for is seen to its end, though its rows may be gone by then.
  if (crons.length === 0 && asked === undefined) return null;
  const mine = crons.filter(({ can }) => can.includes("write"));
  const on = mine.filter(({ cron }) => cron.enabled).length;
  const reach = { pause: on, resume: mine.length - on, delete: mine.length };
  const ask = (deed: Deed) =>
    setAsked({ deed, read: all && more !== undefined ? more.read : () => [crons] });
  const total = more?.count.count ?? 0;
  return (
    <SelectionBar
      of="cron"
      count={all && more !== undefined ? total : crons.length}
      onClear={onDone}
    >
      {more !== undefined && !all && (
        <Button small look="quiet" onClick={onAll}>
          Select all {count(total)}
          {more.count.capped && "+"} that match
        </Button>
      )}
      {all && more?.count.capped && <span className="muted">and more</span>}
      {(["pause", "resume", "delete"] as const).map((deed) => (
        <Button key={deed} small disabled={!all && reach[deed] === 0} onClick={() => ask(deed)}>
          {DEEDS[deed].verb}
          {!all && reach[deed] > 0 && ` ${counted(reach[deed], "cron")}`}…
        </Button>
      ))}
      {asked && (
        <BulkDialog
          deed={asked.deed}
          read={asked.read}
          onClose={() => setAsked(undefined)}
          onDone={() => {
            setAsked(undefined);
            onDone();
          }}
        />
      )}
    </SelectionBar>
  );
}
