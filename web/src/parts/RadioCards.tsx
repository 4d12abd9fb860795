import { useId, type ReactNode } from "react";
import styles from "./radio-cards.module.css";

interface RadioCardsProps<T extends string> {
  label: string;
  value: T;
  options: readonly { value: T; title: string; text: ReactNode }[];
  onChange: (value: T) => void;
  /** What is wrong with the choice. */
  error?: string | undefined;
}

/** A choice among a few that need a sentence each. */
export function RadioCards<T extends string>({
  label,
  value,
  options,
  onChange,
  error,
}: RadioCardsProps<T>) {
  const name = useId();
  return (
    <fieldset className={styles.cards}>
      <legend>{label}</legend>
      <div className={styles.grid}>
        {options.map((option) => (
          <label key={option.value} className={styles.card}>
            <input
              type="radio"
              name={name}
              value={option.value}
              checked={option.value === value}
              aria-describedby={`${name}-${option.value}`}
              aria-label={option.title}
              onChange={() => onChange(option.value)}
            />
            <span>
              <span className={styles.title}>{option.title}</span>
              <span id={`${name}-${option.value}`} className={styles.text}>
                {option.text}
              </span>
            </span>
          </label>
        ))}
      </div>
      {error && (
        <p role="alert" className={styles.error}>
          {error}
        </p>
      )}
    </fieldset>
  );
}
