import { Autocomplete } from "@base-ui/react/autocomplete";
import { useState, type ComponentProps } from "react";
import entry from "./options.module.css";
import styles from "./suggest.module.css";

/** A text that a field takes, with what helps to choose it. */
export interface Suggestion {
  value: string;
  /** Beside it: an offset, a kind. */
  hint?: string;
  /** By what else it is found. */
  also?: string;
}

interface SuggestProps extends Omit<ComponentProps<"input">, "value" | "onChange"> {
  value: string;
  onChange: (value: string) => void;
  suggestions: readonly Suggestion[];
  /** Most that are listed at once. */
  limit?: number;
}

/** A field that takes any text and offers some; `new york` finds `America/New_York`. */
export function Suggest({ value, onChange, suggestions, limit = 40, ...input }: SuggestProps) {
  // What it opens with is what was chosen before: it narrows nothing until somebody types.
  const [begun, setBegun] = useState<string>();
  return (
    <Autocomplete.Root
      items={suggestions}
      value={value}
      onValueChange={onChange}
      itemToStringValue={(item: Suggestion) => item.value}
      filter={(item: Suggestion, query: string) => query === begun || matches(item, query)}
      onOpenChange={(open, { reason }) =>
        setBegun(open && reason !== "input-change" ? value : undefined)
      }
      limit={limit}
      openOnInputClick
    >
      <Autocomplete.Input {...input} />
      <Autocomplete.Portal>
        <Autocomplete.Positioner sideOffset={4} align="start" className={styles.positioner}>
          <Autocomplete.Popup className={styles.popup}>
            <Autocomplete.List className={styles.list}>
              {(item: Suggestion) => (
                <Autocomplete.Item key={item.value} value={item} className={entry.item}>
                  <span className="clip">{item.value}</span>
                  {item.hint && <span className={entry.hint}>{item.hint}</span>}
                </Autocomplete.Item>
              )}
            </Autocomplete.List>
          </Autocomplete.Popup>
        </Autocomplete.Positioner>
      </Autocomplete.Portal>
    </Autocomplete.Root>
  );
}

const plain = (text: string) =>
  text
    .toLowerCase()
    .replace(/[/_\s-]+/g, " ")
    .trim();

/** All words of the query, in any order. */
function matches(item: Suggestion, query: string): boolean {
  const text = plain(`${item.value} ${item.also ?? ""} ${item.hint ?? ""}`);
  return plain(query)
    .split(" ")
    .every((word) => text.includes(word));
}
