import { useId, type ReactNode } from "react";
import styles from "./field.module.css";

interface FieldProps {
  label: string;
  hint?: ReactNode;
  /** What is wrong, in words; announced when it appears. */
  error?: string | undefined;
  children: (props: {
    id: string;
    "aria-describedby": string | undefined;
    "aria-invalid": boolean;
    className: string | undefined;
  }) => ReactNode;
}

/** A labelled control with its hint, or what is wrong with it. */
export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  const line = `${id}-line`;
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        "aria-describedby": hint !== undefined || error !== undefined ? line : undefined,
        "aria-invalid": error !== undefined,
        className: styles.control,
      })}
      <p id={line} className={error ? styles.error : styles.hint} {...(error && { role: "alert" })}>
        {error ?? hint}
      </p>
    </div>
  );
}

/** A choice among a few, as the browser has it. */
export function Select<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}) {
  return (
    <label className={styles.select}>
      <span className="sr-only">{label}</span>
      <select value={value} onChange={(event) => onChange(event.target.value as T)}>
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
