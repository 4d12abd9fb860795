import type { NewJob } from "carillon/client";
import { X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Button, IconButton } from "../../parts/Button.js";
import { Field } from "../../parts/Field.js";
import { Card } from "../../parts/Page.js";
import { RadioCards } from "../../parts/RadioCards.js";
import { Suggest, type Suggestion } from "../../parts/Suggest.js";
import styles from "./editor.module.css";
import {
  brokenParts,
  readTarget,
  TARGET_FIELDS,
  writeTarget,
  type Pair,
  type TargetField,
  type TargetForm,
} from "./target-text.js";
import { TryTarget } from "./TryTarget.js";
import { useKnown } from "./use-known.js";

interface TargetSectionProps {
  appId: string;
  value: string;
  onChange: (value: string) => void;
  error: string | undefined;
  /** What the server has against its parts, by their names. */
  parts: Readonly<Record<string, string>>;
  /** One job by what the editor holds. */
  job: () => NewJob | undefined;
  onRefused: (error: unknown) => void;
}

const TYPES = [
  { value: "", title: "The app's workers", text: "onJob of whichever worker is free." },
  { value: "http", title: "HTTP", text: "A dispatcher calls an address." },
  { value: "container", title: "Container", text: "A dispatcher runs an image." },
  { value: "faktory", title: "Faktory", text: "A job of a Faktory queue." },
  { value: "agent", title: "Agent", text: "An AI agent that is called over HTTP." },
] as const;

/** Where its jobs go. */
export function TargetSection(props: TargetSectionProps) {
  const { appId, value, onChange, error, parts, job, onRefused } = props;
  const [form, setForm] = useState(() => readTarget(value));
  const written = useRef(value);
  useEffect(() => {
    // Changed elsewhere: a draft that came back, another version.
    if (value !== written.current) setForm(readTarget(value));
    written.current = value;
  }, [value]);
  const change = (changes: Partial<TargetForm>) => {
    const next = { ...form, ...changes };
    setForm(next);
    written.current = writeTarget(next);
    onChange(written.current);
  };
  const known = useKnown(appId, form.type);
  const broken = brokenParts(form);
  const errorOf = (name: string) => broken[name] ?? parts[name];
  const placed = Object.keys({ ...broken, ...parts }).length > 0;
  return (
    <Card title="Where its jobs go">
      <div className={styles.fields}>
        <RadioCards
          label="Target"
          value={form.type === "json" ? "" : form.type}
          options={form.type === "json" ? [] : TYPES}
          onChange={(type) => change({ type })}
          error={placed ? undefined : error}
        />
        {form.type === "json" ? (
          <Field
            label="Target, in JSON"
            hint="Custom: no form would give this back as it is."
            error={error}
          >
            {(control) => (
              <textarea
                {...control}
                rows={8}
                spellCheck={false}
                value={form.json}
                onChange={(event) => change({ json: event.target.value })}
              />
            )}
          </Field>
        ) : (
          form.type !== "" && (
            <div className={styles.row}>
              {TARGET_FIELDS[form.type].map((field) => (
                <Part
                  key={`${form.type} ${field.name}`}
                  field={field}
                  form={form}
                  error={errorOf(field.name)}
                  known={known[field.name] ?? []}
                  onChange={change}
                />
              ))}
            </div>
          )
        )}
        {form.type !== "json" && form.type !== "" && (
          <TryTarget
            key={`${appId} ${form.type}`}
            {...{ appId, job, onRefused }}
            type={form.type}
          />
        )}
      </div>
    </Card>
  );
}

interface PartProps {
  field: TargetField;
  form: TargetForm;
  error: string | undefined;
  known: readonly Suggestion[];
  onChange: (changes: Partial<TargetForm>) => void;
}

function Part({ field, form, error, known, onChange }: PartProps) {
  const { name, label, kind, hint, placeholder, choices } = field;
  const text = form.texts[name] ?? "";
  const give = (next: string) => onChange({ texts: { ...form.texts, [name]: next } });
  if (kind === "pairs") {
    return (
      <Pairs
        label={label}
        hint={hint}
        error={error}
        pairs={form.pairs[name] ?? []}
        onChange={(next) => onChange({ pairs: { ...form.pairs, [name]: next } })}
      />
    );
  }
  if (kind === "body") {
    return (
      <div className={styles.wide}>
        <Field
          label="Body"
          error={error}
          hint="Left empty, it tells the job and its payload, in JSON."
        >
          {(control) => (
            <textarea
              {...control}
              rows={5}
              spellCheck={false}
              value={text}
              onChange={(event) => give(event.target.value)}
            />
          )}
        </Field>
        <label className={styles.labelled}>
          <input
            type="checkbox"
            checked={form.bodyIs === "text"}
            onChange={(event) => onChange({ bodyIs: event.target.checked ? "text" : "json" })}
          />
          Send it as text, not as JSON
        </label>
      </div>
    );
  }
  return (
    <Field label={label} hint={hint} error={error}>
      {(control) =>
        choices ? (
          <select {...control} value={text} onChange={(event) => give(event.target.value)}>
            {choices.map((choice) => (
              <option key={choice} value={choice}>
                {choice === "" ? `${placeholder ?? ""} (default)` : choice}
              </option>
            ))}
          </select>
        ) : kind === "lines" || kind === "json" ? (
          <textarea
            {...control}
            rows={4}
            spellCheck={false}
            placeholder={placeholder}
            value={text}
            onChange={(event) => give(event.target.value)}
          />
        ) : field.known ? (
          <Suggest
            {...control}
            suggestions={known}
            spellCheck={false}
            autoComplete="off"
            placeholder={placeholder}
            value={text}
            onChange={give}
          />
        ) : (
          <input
            {...control}
            spellCheck={false}
            autoComplete="off"
            placeholder={placeholder}
            value={text}
            onChange={(event) => give(event.target.value)}
          />
        )
      }
    </Field>
  );
}

interface PairsProps {
  label: string;
  hint: string | undefined;
  error: string | undefined;
  pairs: readonly Pair[];
  onChange: (pairs: readonly Pair[]) => void;
}

/** Names and values, each in a field of its own: nothing in either of them divides anything. */
function Pairs({ label, hint, error, pairs, onChange }: PairsProps) {
  const one = label.replace(/s$/, "").toLowerCase();
  const put = (at: number, pair: Pair) =>
    onChange(pairs.map((other, index) => (index === at ? pair : other)));
  return (
    <fieldset className={`${styles.pairs ?? ""} ${styles.wide ?? ""}`}>
      <legend>{label}</legend>
      {pairs.map(([name, value], at) => (
        // A row has no identity but its place.
        <div key={at} className={styles.pair}>
          <input
            aria-label={`Name of ${one} ${at + 1}`}
            spellCheck={false}
            autoComplete="off"
            value={name}
            onChange={(event) => put(at, [event.target.value, value])}
          />
          <input
            aria-label={`Value of ${one} ${at + 1}`}
            spellCheck={false}
            autoComplete="off"
            value={value}
            onChange={(event) => put(at, [name, event.target.value])}
          />
          <IconButton
            label={`Remove ${one} ${at + 1}`}
            small
            onClick={() => onChange(pairs.filter((_pair, index) => index !== at))}
          >
            <X size={14} aria-hidden="true" />
          </IconButton>
        </div>
      ))}
      <Button small onClick={() => onChange([...pairs, ["", ""]])}>
        Add {/^[aeiou]/.test(one) ? "an" : "a"} {one}
        {one === "environment" ? " variable" : ""}
      </Button>
      <p className={error ? styles.bad : "small muted"} {...(error && { role: "alert" })}>
        {error ?? hint}
      </p>
    </fieldset>
  );
}
