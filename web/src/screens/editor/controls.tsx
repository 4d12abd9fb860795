import type { ReactNode } from "react";
import type { UseFormReturn } from "react-hook-form";
import { Field } from "../../parts/Field.js";
import styles from "./editor.module.css";
import type { EditorValues, FieldName } from "../../crons/values.js";

export type EditorForm = UseFormReturn<EditorValues>;

interface TextProps {
  form: EditorForm;
  name: FieldName;
  label: string;
  hint?: ReactNode;
  placeholder?: string;
  mono?: boolean;
  maxLength?: number;
}

/** A field of text, as most of them are. */
export function Text({ form, name, label, hint, mono = false, ...input }: TextProps) {
  return (
    <Field label={label} hint={hint} error={form.formState.errors[name]?.message}>
      {(control) => (
        <input
          {...control}
          {...input}
          {...form.register(name)}
          className={[control.className, mono && styles.text].filter(Boolean).join(" ")}
          spellCheck={false}
          autoComplete="off"
        />
      )}
    </Field>
  );
}

interface ChoiceProps<K extends FieldName> {
  form: EditorForm;
  name: K;
  label: string;
  hint?: ReactNode;
  options: readonly (readonly [EditorValues[K], string])[];
}

/** A choice among a few. */
export function Choice<K extends FieldName>({ form, name, label, hint, options }: ChoiceProps<K>) {
  return (
    <Field label={label} hint={hint} error={form.formState.errors[name]?.message}>
      {(control) => (
        <select {...control} {...form.register(name)}>
          {options.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
