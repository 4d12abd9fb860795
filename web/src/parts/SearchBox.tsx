import { Search } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import styles from "./field.module.css";

interface SearchBoxProps {
  label: string;
  placeholder: string;
  value: string;
  onChange: (value: string) => void;
}

const PAUSE_MS = 200;

/** A search that answers when one pauses; `/` goes to it. */
export function SearchBox({ label, placeholder, value, onChange }: SearchBoxProps) {
  const [typed, setTyped] = useState(value);
  const told = useRef(value);
  useEffect(() => {
    // Changed elsewhere: by Back, or by clearing the filters.
    if (value !== told.current) setTyped(value);
    told.current = value;
  }, [value]);
  useEffect(() => {
    if (typed === told.current) return undefined;
    const timer = setTimeout(() => {
      told.current = typed.trim();
      onChange(typed);
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed, onChange]);
  return (
    <label className={styles.search}>
      <span className="sr-only">{label}</span>
      <Search size={14} aria-hidden="true" />
      <input
        type="search"
        data-search
        placeholder={placeholder}
        value={typed}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => setTyped(event.target.value)}
      />
    </label>
  );
}
