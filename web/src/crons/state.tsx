import {
  Ban,
  Circle,
  CircleCheck,
  CircleDot,
  CirclePause,
  CirclePlay,
  CircleX,
  Clock,
  OctagonPause,
} from "lucide-react";
import type { ComponentType } from "react";
import type { Tone } from "../outcomes/outcomes.js";
import styles from "./crons.module.css";
import type { CronState } from "./types.js";

interface StateLook {
  word: string;
  icon: ComponentType<{ size?: number; "aria-hidden"?: "true" }>;
  tone: Tone | "none";
}

/** How a cron is: the one table of its word, sign and colour. */
export const STATES: Readonly<Record<CronState, StateLook>> = {
  failing: { word: "Failing", icon: CircleX, tone: "failed" },
  late: { word: "Late", icon: Clock, tone: "late" },
  denied: { word: "Denied", icon: Ban, tone: "missed" },
  self_paused: { word: "Paused itself", icon: OctagonPause, tone: "failed" },
  paused: { word: "Paused", icon: CirclePause, tone: "skipped" },
  running: { word: "Running", icon: CirclePlay, tone: "running" },
  ok: { word: "OK", icon: CircleDot, tone: "ok" },
  waiting: { word: "Waiting", icon: Circle, tone: "skipped" },
  done: { word: "Done", icon: CircleCheck, tone: "skipped" },
};

/** The sign of a state, with its sentence for who cannot see it. */
export function StateMark({
  state,
  text,
  size = 16,
}: {
  state: CronState;
  text: string;
  size?: number;
}) {
  const { icon: Icon, tone } = STATES[state];
  return (
    <span className={styles.state} data-tone={tone} title={text} role="img" aria-label={text}>
      <Icon size={size} aria-hidden="true" />
    </span>
  );
}
