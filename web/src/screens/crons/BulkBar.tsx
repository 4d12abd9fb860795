import { useState } from "react";
import { pauseCron, resumeCron, toMany, type CronRef } from "../../crons/actions.js";
import { PauseDialog } from "../../crons/PauseDialog.js";
import type { CronSummary } from "../../crons/types.js";
import { Button } from "../../parts/Button.js";
import { SelectionBar } from "../../parts/SelectionBar.js";
import { counted } from "../../time/format.js";

interface BulkBarProps {
  crons: readonly CronSummary[];
  onDone: () => void;
}

/** What can be done with the selected ones, and with how many of them. */
export function BulkBar({ crons, onDone }: BulkBarProps) {
  const [pausing, setPausing] = useState(false);
  if (crons.length === 0) return null;
  const mine = crons.filter(({ can }) => can.includes("write")).map(({ cron }) => cron);
  const on = mine.filter(({ enabled }) => enabled);
  const off = mine.filter(({ enabled }) => !enabled);
  const act = async (
    some: readonly CronRef[],
    done: string,
    one: (cron: CronRef) => Promise<void>,
  ) => {
    await toMany(some, done, one);
    onDone();
  };
  return (
    <SelectionBar of="cron" count={crons.length} onClear={onDone}>
      <Button small disabled={on.length === 0} onClick={() => setPausing(true)}>
        Pause {on.length > 0 && counted(on.length, "cron")}…
      </Button>
      <Button
        small
        disabled={off.length === 0}
        onClick={() => void act(off, "Resumed", resumeCron)}
      >
        Resume {off.length > 0 && counted(off.length, "cron")}
      </Button>
      <PauseDialog
        what={counted(on.length, "cron")}
        open={pausing}
        onClose={() => setPausing(false)}
        onPause={(note) => act(on, "Paused", (cron) => pauseCron(cron, note))}
      />
    </SelectionBar>
  );
}
