import { Menu as Base } from "@base-ui/react/menu";
import { Check } from "lucide-react";
import type { ReactElement, ReactNode } from "react";
import entry from "./options.module.css";
import styles from "./menu.module.css";

interface MenuProps {
  /** The button that opens it. */
  trigger: ReactElement<Record<string, unknown>>;
  align?: "start" | "center" | "end";
  children: ReactNode;
}

/** A menu below its button. */
export function Menu({ trigger, align = "end", children }: MenuProps) {
  return (
    <Base.Root>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner sideOffset={4} align={align} className={styles.positioner}>
          <Base.Popup className={styles.popup}>{children}</Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

interface ItemProps {
  icon?: ReactNode;
  danger?: boolean;
  disabled?: boolean;
  onClick: () => void;
  children: ReactNode;
}

export function MenuItem({ icon, danger = false, children, ...rest }: ItemProps) {
  return (
    <Base.Item {...rest} className={entry.item} data-danger={danger || undefined}>
      <span className={styles.icon}>{icon}</span>
      {children}
    </Base.Item>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  options: readonly { value: T; text: ReactNode; hint?: ReactNode }[];
  onChange: (value: T) => void;
}

/** One of several, within a menu. */
export function MenuChoice<T extends string>({ label, value, options, onChange }: ChoiceProps<T>) {
  return (
    <Base.RadioGroup value={value} onValueChange={(next) => onChange(next as T)}>
      <Base.Group>
        <Base.GroupLabel className={entry.label}>{label}</Base.GroupLabel>
        {options.map(({ value: option, text, hint }) => (
          <Base.RadioItem key={option} value={option} className={entry.item} closeOnClick>
            <span className={styles.icon}>
              <Base.RadioItemIndicator>
                <Check size={14} aria-hidden="true" />
              </Base.RadioItemIndicator>
            </span>
            <span className={styles.text}>{text}</span>
            {hint && <span className={entry.hint}>{hint}</span>}
          </Base.RadioItem>
        ))}
      </Base.Group>
    </Base.RadioGroup>
  );
}

export function MenuSeparator() {
  return <Base.Separator className={styles.separator} />;
}
