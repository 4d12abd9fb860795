import type { Cron } from "carillon/client";
import { pauseAndSay } from "./actions.js";
import { PauseDialog } from "./PauseDialog.js";
import { RunDialog } from "./RunDialog.js";

interface CronDialogsProps {
  cron: Cron;
  /** Which of them is open. */
  open: "run" | "pause" | undefined;
  onClose: () => void;
}

/** What is asked before a cron is run by hand, or paused. */
export function CronDialogs({ cron, open, onClose }: CronDialogsProps) {
  return (
    <>
      <RunDialog cron={cron} open={open === "run"} onClose={onClose} />
      <PauseDialog
        what={cron.name}
        open={open === "pause"}
        onClose={onClose}
        onPause={(note) => pauseAndSay(cron, note)}
      />
    </>
  );
}
