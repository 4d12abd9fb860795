import type { ReactNode } from "react";
import { counted } from "../time/format.js";
import { Button } from "./Button.js";
import styles from "./selection-bar.module.css";

interface SelectionBarProps {
  /** What was selected, as one of it is called: cron, job, letter. */
  of: string;
  count: number;
  onClear: () => void;
  /** What can be done with them. */
  children: ReactNode;
}

/** Stays in sight while rows of a list are selected. */
export function SelectionBar({ of, count, onClear, children }: SelectionBarProps) {
  return (
    <div className={styles.bar} role="region" aria-label={`Selected ${of}s`}>
      <span className="num">{counted(count, of)} selected</span>
      {children}
      <Button small look="quiet" onClick={onClear}>
        Clear
      </Button>
    </div>
  );
}
