import type { ReactNode } from "react";
import styles from "./toggle.module.css";

interface ToggleProps {
  on: boolean;
  onToggle: () => void;
  children: ReactNode;
}

/** One of several things a list is narrowed to, or not. */
export function Toggle({ on, onToggle, children }: ToggleProps) {
  return (
    <button type="button" className={styles.toggle} aria-pressed={on} onClick={onToggle}>
      {children}
    </button>
  );
}
