import { useQueryClient } from "@tanstack/react-query";
import { RefreshCw } from "lucide-react";
import { pace, useLiveness, type Liveness } from "../live/live.js";
import { Button } from "../parts/Button.js";
import { Menu, MenuChoice, MenuItem, MenuSeparator } from "../parts/Menu.js";
import { useStore } from "../store.js";
import { serverNow } from "../time/clock.js";
import { clockTime, roughly } from "../time/format.js";
import { useTimeStyle } from "../time/times.js";
import styles from "./shell.module.css";
import { useAge, type Age } from "./use-age.js";

/** How old what is seen is, said in words; and how often it is asked for anew. */
export function Freshness() {
  const client = useQueryClient();
  const chosen = useStore(pace);
  const liveness = useLiveness();
  const age = useAge();
  const style = useTimeStyle();
  const { mark, text } = wordsFor(liveness, age, (at) => clockTime(at, style, true));
  return (
    <Menu
      trigger={
        <Button look="quiet" className={styles.freshness} data-state={mark}>
          <span className={styles.pulse} aria-hidden="true" />
          <span className="num">{text}</span>
        </Button>
      }
    >
      <MenuItem
        icon={<RefreshCw size={14} aria-hidden="true" />}
        onClick={() => void client.refetchQueries({ type: "active" })}
      >
        Refresh now
      </MenuItem>
      <MenuSeparator />
      <MenuChoice
        label="Keep this page up to date"
        value={chosen}
        onChange={pace.set}
        options={[
          { value: "live", text: "Live", hint: "every few seconds" },
          { value: "slow", text: "Every 30 seconds" },
          { value: "off", text: "Only when asked" },
        ]}
      />
    </Menu>
  );
}

function wordsFor(
  liveness: Liveness,
  { at, failing }: Age,
  clock: (at: number) => string,
): { mark: "live" | "idle" | "held" | "failing"; text: string } {
  const old = at === undefined ? "" : `${roughly(Date.now() - at)} ago`;
  const since = at === undefined ? "" : ` since ${clock(at + serverNow() - Date.now())}`;
  if (failing) return { mark: "failing", text: `Not updated${since}` };
  switch (liveness.state) {
    case "held":
      return { mark: "held", text: `Paused: ${liveness.reason}` };
    case "off":
      return { mark: "held", text: old === "" ? "Updates are off" : `${old}, updates off` };
    case "slow":
      return { mark: "idle", text: old === "" ? "Every 30 s" : old };
    case "live":
      return { mark: "live", text: old === "" ? "Live" : old };
  }
}
