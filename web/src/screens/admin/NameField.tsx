import { Field } from "../../parts/Field.js";

interface NameFieldProps {
  hint: string;
  error: string | undefined;
  maxLength: number;
  value: string;
  onChange: (value: string) => void;
}

/** What something new is called: where a form begins. */
export function NameField({ hint, error, maxLength, value, onChange }: NameFieldProps) {
  return (
    <Field label="Name" hint={hint} error={error}>
      {(control) => (
        <input
          {...control}
          autoFocus
          autoComplete="off"
          spellCheck={false}
          maxLength={maxLength}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
