import { Tabs as Base } from "@base-ui/react/tabs";
import type { ReactNode } from "react";
import { useInSight } from "./in-sight.js";
import styles from "./tabs.module.css";

interface TabsProps<T extends string> {
  label: string;
  value: T;
  onChange: (value: T) => void;
  tabs: readonly { value: T; text: ReactNode; panel: () => ReactNode }[];
}

/** Tabs, whose choice is the caller's to keep in the URL. */
export function Tabs<T extends string>({ label, value, onChange, tabs }: TabsProps<T>) {
  const list = useInSight<HTMLDivElement>(value);
  return (
    <Base.Root value={value} onValueChange={(next) => onChange(next as T)} className={styles.root}>
      <Base.List ref={list} className={styles.list} aria-label={label} activateOnFocus>
        {tabs.map(({ value: tab, text }) => (
          <Base.Tab key={tab} value={tab} className={styles.tab}>
            {text}
          </Base.Tab>
        ))}
      </Base.List>
      {tabs.map(({ value: tab, panel }) => (
        <Base.Panel key={tab} value={tab} className={styles.panel}>
          {panel()}
        </Base.Panel>
      ))}
    </Base.Root>
  );
}
