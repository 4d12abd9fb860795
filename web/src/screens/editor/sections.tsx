import { useQuery } from "@tanstack/react-query";
import { Controller } from "react-hook-form";
import { Field } from "../../parts/Field.js";
import { Card } from "../../parts/Page.js";
import { RadioCards } from "../../parts/RadioCards.js";
import { Suggest } from "../../parts/Suggest.js";
import { useGrants } from "../../session/session.js";
import { Choice, Text, type EditorForm } from "./controls.js";
import styles from "./editor.module.css";
import { pauseText, retriesText } from "./failure-text.js";
import { serviceAccountsQuery } from "./queries.js";
import type { EditorValues } from "../../crons/values.js";

interface SectionProps {
  form: EditorForm;
  values: EditorValues;
}

const OVERLAP = [
  ["skip", "Skip", "If the last job is still queued or running, this slot makes no job."],
  ["buffer", "Buffer one", "One more may wait; further slots make none."],
  ["queue", "Queue", "Every slot makes a job; they may pile up."],
  ["replace", "Replace", "Cancels the unfinished job and makes a new one."],
] as const;

const CATCH_UP = [
  ["latest", "Only the newest", "After an outage, one job for the latest missed slot."],
  ["all", "All of them", "Each missed slot gets its job, oldest first, up to a number."],
  ["none", "None", "Missed slots are recorded and never run."],
] as const;

const cards = <T extends string>(options: readonly (readonly [T, string, string])[], usual: T) =>
  options.map(([value, title, text]) => ({
    value,
    title: value === usual ? `${title} (default)` : title,
    text,
  }));

/** What becomes of a slot whose forerunner has not ended. */
export function Collide({ form }: SectionProps) {
  return (
    <Card title="When one is still running">
      <div className={styles.fields}>
        <Controller
          control={form.control}
          name="overlapPolicy"
          render={({ field, fieldState }) => (
            <RadioCards
              label="Overlap"
              value={field.value}
              onChange={field.onChange}
              options={cards(OVERLAP, "skip")}
              error={fieldState.error?.message}
            />
          )}
        />
        <Text
          form={form}
          name="maxConcurrency"
          label="Jobs at once, at most"
          placeholder="no limit"
          hint="Of this cron, whatever made them."
        />
      </div>
    </Card>
  );
}

/** What becomes of slots that passed while nothing could fire. */
export function Missed({ form, values }: SectionProps) {
  return (
    <Card title="Missed slots">
      <div className={styles.fields}>
        <Controller
          control={form.control}
          name="catchUp"
          render={({ field, fieldState }) => (
            <RadioCards
              label="Catch up"
              value={field.value}
              onChange={field.onChange}
              options={cards(CATCH_UP, "latest")}
              error={fieldState.error?.message}
            />
          )}
        />
        <div className={styles.row}>
          <Text
            form={form}
            name="catchUpWindow"
            label="Within"
            placeholder="1 h"
            hint="Slots older than this are recorded as missed."
          />
          {(values.catchUp === "all" || values.catchUpMax !== "") && (
            <Text form={form} name="catchUpMax" label="Jobs at most" placeholder="100" />
          )}
        </div>
      </div>
    </Card>
  );
}

/** What becomes of a job that fails. */
export function Fails({ form, values }: SectionProps) {
  const retries = retriesText(values);
  const pauses = pauseText(values);
  return (
    <Card title="Failures and time">
      <div className={styles.told} role="status">
        {retries !== undefined && <p>{retries}</p>}
        {pauses !== undefined && <p>{pauses}</p>}
      </div>
      <div className={styles.row}>
        <Text
          form={form}
          name="maxAttempts"
          label="Attempts"
          placeholder="1"
          hint="Tries until a job has failed."
        />
        <Text
          form={form}
          name="retryDelay"
          label="First retry after"
          placeholder="10 s"
          hint="From its failure on."
        />
        <Text
          form={form}
          name="retryBackoff"
          label="Then times"
          placeholder="2"
          hint="The delay grows by this factor."
        />
        <Text
          form={form}
          name="timeout"
          label="Timeout"
          placeholder="the worker's"
          hint="How long one try may run."
        />
        <Text
          form={form}
          name="expiresAfter"
          label="Give up waiting after"
          placeholder="never"
          hint="A due job that nobody started is canceled."
        />
        <Text
          form={form}
          name="maxConsecutiveFailures"
          label="Pause after failures in a row"
          placeholder="never"
          hint="Stops the schedule, and shows here why."
        />
      </div>
    </Card>
  );
}

/** Bounds, order and clock changes: what most crons leave as it is. */
export function Limits({ form }: SectionProps) {
  return (
    <Card title="Limits and order">
      <div className={styles.row}>
        <Text
          form={form}
          name="startsAt"
          label="Starts"
          mono
          placeholder="2026-12-01T00:00:00Z"
          hint="No slot before it. With Z or an offset."
        />
        <Text
          form={form}
          name="endsAt"
          label="Ends"
          mono
          placeholder="2027-12-31T23:59:59Z"
          hint="No slot after it."
        />
        <Text
          form={form}
          name="jitter"
          label="Jitter"
          placeholder="none"
          hint="Starts later by the same part of this, so that crons due together spread."
        />
        <Text
          form={form}
          name="priority"
          label="Priority"
          placeholder="0"
          hint="Higher goes first, within the app."
        />
        <Text
          form={form}
          name="tags"
          label="Tags"
          placeholder="billing, nightly"
          hint="Its jobs are found by them."
        />
        <RunAs form={form} />
        <Choice
          form={form}
          name="gap"
          label="A local time that does not exist"
          options={[
            ["shift", "fires later by the gap (default)"],
            ["skip", "does not fire that day"],
          ]}
          hint="When clocks jump forward."
        />
        <Choice
          form={form}
          name="fold"
          label="A local time that comes twice"
          options={[
            ["first", "fires the first time (default)"],
            ["both", "fires both times"],
          ]}
          hint="When clocks go back."
        />
      </div>
    </Card>
  );
}

function RunAs({ form }: { form: EditorForm }) {
  const may = useGrants()("system:principal.read");
  const { data = [] } = useQuery({ ...serviceAccountsQuery(), enabled: may });
  return (
    <Controller
      control={form.control}
      name="runAs"
      render={({ field, fieldState }) => (
        <Field
          label="Runs as"
          error={fieldState.error?.message}
          hint="A service account, so that it does not stop when its maker leaves."
        >
          {(control) => (
            <Suggest
              {...control}
              name="runAs"
              value={nameOf(field.value)}
              onChange={(typed) => field.onChange(idOf(typed))}
              placeholder="whoever makes it"
              suggestions={data.map(({ username }) => ({ value: username }))}
              spellCheck={false}
              autoComplete="off"
            />
          )}
        </Field>
      )}
    />
  );

  // The API gives its id; people know its name, which does as well.
  function nameOf(text: string): string {
    return data.find(({ id }) => id === text)?.username ?? text;
  }
  function idOf(typed: string): string {
    return data.find(({ username }) => username === typed)?.id ?? typed;
  }
}
