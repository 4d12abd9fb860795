import { Dialog } from "../parts/Dialog.js";
import { useStore } from "../store.js";
import { helpOpen } from "./help-open.js";
import { PAGES } from "./pages.js";
import { SingleKeys } from "./SingleKeys.js";
import styles from "./shell.module.css";

const KEYS: readonly (readonly [keys: readonly string[], does: string])[] = [
  [["Ctrl", "K"], "go to a page, a cron or a job, or do something here (⌘ K on a Mac)"],
  [["/"], "search this list"],
  [["r"], "read this page anew"],
  [["←", "→"], "walk a strip, a chart or a row of tabs"],
  [["Esc"], "close what is on top"],
  [["?"], "this help"],
];

/** Every shortcut, and the switch for those of a single key. */
export function Help() {
  const open = useStore(helpOpen);
  return (
    <Dialog open={open} onClose={() => helpOpen.set(false)} title="Keyboard" wide>
      <dl className={styles.keys}>
        {KEYS.map(([pressed, does]) => (
          <Line key={does} pressed={pressed} does={does} />
        ))}
        {PAGES.map(({ key, text }) => (
          <Line key={key} pressed={["g", key]} does={text} />
        ))}
      </dl>
      <SingleKeys />
    </Dialog>
  );
}

function Line({ pressed, does }: { pressed: readonly string[]; does: string }) {
  return (
    <div>
      <dt>
        {pressed.map((key) => (
          <kbd key={key}>{key}</kbd>
        ))}
      </dt>
      <dd>{does}</dd>
    </div>
  );
}
