import { Menu as Base } from "@base-ui/react/menu";
import { Check } from "lucide-react";
import { cloneElement, useState, type ReactElement, type ReactNode } from "react";
import entry from "./options.module.css";
import styles from "./menu.module.css";

type Trigger = ReactElement<Record<string, unknown>>;

interface MenuProps {
  /** The button that opens it. */
  trigger: Trigger;
  align?: "start" | "center" | "end";
  /** Whether it is open from the start. */
  opened?: boolean;
  children: ReactNode;
}

/** A menu below its button. */
export function Menu({ trigger, align = "end", opened = false, children }: MenuProps) {
  return (
    <Base.Root defaultOpen={opened}>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner sideOffset={4} align={align} className={styles.positioner}>
          <Base.Popup className={styles.popup}>{children}</Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

/**
 * A menu of which a page has very many: until it is first used it is a plain button, and what is in
 * it is not made.
 */
export function LazyMenu({ trigger, children }: { trigger: Trigger; children: () => ReactNode }) {
  const [used, setUsed] = useState(false);
  if (used) {
    return (
      <Menu trigger={trigger} opened>
        {children()}
      </Menu>
    );
  }
  return cloneElement(trigger, {
    "aria-haspopup": "menu",
    "aria-expanded": false,
    onClick: () => setUsed(true),
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      event.preventDefault();
      setUsed(true);
    },
  });
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
