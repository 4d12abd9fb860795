import type { Cron } from "carillon/client";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { Controller } from "react-hook-form";
import { useQuery } from "@tanstack/react-query";
import { Button } from "../../parts/Button.js";
import { Field } from "../../parts/Field.js";
import { Card, Page } from "../../parts/Page.js";
import { Notice } from "../../parts/States.js";
import { counted } from "../../time/format.js";
import { Conflict } from "./Conflict.js";
import styles from "./editor.module.css";
import { LeaveGuard } from "./LeaveGuard.js";
import { ManifestNotice } from "./ManifestNotice.js";
import { PreviewPanel } from "./Preview.js";
import { previewQuery, type When } from "./queries.js";
import { ScheduleField } from "./ScheduleField.js";
import { Collide, Fails, Limits, Missed } from "./sections.js";
import { TargetSection } from "./TargetSection.js";
import { useEditor, type EditorState } from "./use-editor.js";
import { usePreview } from "./use-preview.js";
import { useScheduleErrors } from "./use-schedule-errors.js";
import { type EditorValues, type FieldName } from "../../crons/values.js";
import { What } from "./What.js";
import { ZoneField } from "./ZoneField.js";

interface EditorProps {
  appId: string;
  /** The cron to change; absent for a new one. */
  cron?: Cron;
  /** What the fields begin with. */
  begin: EditorValues;
  onApp?: (appId: string) => void;
}

/** The fields that decide when slots are. */
const WHEN = ["schedule", "timezone", "startsAt", "endsAt", "gap", "fold"] as const;

const whenOf = (values: EditorValues): When => ({
  schedule: values.schedule,
  timezone: values.timezone,
  startsAt: values.startsAt,
  endsAt: values.endsAt,
  gap: values.gap,
  fold: values.fold,
});

/** Makes or changes a cron: on the left what is asked, on the right what it means. */
export function Editor({ appId, cron, begin, onApp }: EditorProps) {
  const editor = useEditor({ appId, cron, begin });
  const { form, values, base, save, conflict, draft } = editor;
  const preview = usePreview(whenOf(values));
  const scheduleErrors = useScheduleErrors(preview, values.schedule);
  const { data: saved } = useQuery({
    ...previewQuery(whenOf(base.values)),
    enabled: base.cron !== undefined,
  });
  const [reason, setReason] = useState("");
  const element = useRef<HTMLFormElement>(null);
  const { errors, submitCount } = form.formState;
  useEffect(() => {
    // Saving in vain goes to the first field that is wrong.
    element.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [submitCount, editor.refused]);
  const errorOf = (name: FieldName) => errors[name]?.message;
  return (
    <Page
      title={cron === undefined ? "New cron" : `Edit ${cron.name}`}
      lead={<Crumbs appId={appId} cron={cron} />}
    >
      {cron?.origin === "manifest" && <ManifestNotice appId={appId} values={values} />}
      {draft.found && (
        <Notice>
          You left something here that was not saved.
          <Button small onClick={editor.restore}>
            Bring it back
          </Button>
          <Button small look="quiet" onClick={draft.drop}>
            Forget it
          </Button>
        </Notice>
      )}
      {conflict && (
        <Conflict
          current={conflict}
          base={base.values}
          mine={values}
          onMerge={editor.merge}
          onTheirs={editor.takeTheirs}
        />
      )}
      <form
        ref={element}
        noValidate
        className={styles.split}
        onSubmit={(event) => {
          event.preventDefault();
          save(reason);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            save(reason);
          }
        }}
      >
        <div className={styles.stack}>
          <What form={form} appId={appId} onApp={onApp} />
          <Card title="When">
            <div className={styles.fields}>
              <Controller
                control={form.control}
                name="schedule"
                render={({ field }) => (
                  <ScheduleField
                    value={field.value}
                    onChange={field.onChange}
                    error={errorOf("schedule") ?? scheduleErrors.schedule}
                    mark={scheduleErrors.mark}
                  />
                )}
              />
              <Controller
                control={form.control}
                name="timezone"
                render={({ field }) => (
                  <ZoneField
                    value={field.value}
                    stored={base.values.timezone}
                    onChange={field.onChange}
                    error={errorOf("timezone") ?? scheduleErrors.timezone}
                  />
                )}
              />
            </div>
          </Card>
          <Controller
            control={form.control}
            name="target"
            render={({ field }) => (
              <TargetSection
                appId={appId}
                job={editor.sample}
                onRefused={editor.complain}
                value={field.value}
                onChange={field.onChange}
                error={errorOf("target")}
                parts={editor.targetParts}
              />
            )}
          />
          <Collide form={form} values={values} />
          <Missed form={form} values={values} />
          <Fails form={form} values={values} />
          <Limits form={form} values={values} />
        </div>
        <div className={styles.aside}>
          <PreviewPanel
            preview={preview}
            saved={cron === undefined ? undefined : saved?.slots}
            onUse={(schedule) => form.setValue("schedule", schedule)}
          />
        </div>
        <SaveBar editor={editor} isNew={cron === undefined} reason={reason} onReason={setReason} />
      </form>
      <LeaveGuard dirty={editor.isDirty} onLeave={draft.drop} />
    </Page>
  );
}

function Crumbs({ appId, cron }: { appId: string; cron: Cron | undefined }) {
  return (
    <p className="small muted">
      <Link to="/crons" className="link">
        Crons
      </Link>
      {" / "}
      {appId}
      {cron && (
        <>
          {" / "}
          <Link to="/crons/$appId/$cronId" params={{ appId, cronId: cron.id }} className="link">
            {cron.name}
          </Link>
        </>
      )}
    </p>
  );
}

interface SaveBarProps {
  editor: EditorState;
  isNew: boolean;
  reason: string;
  onReason: (reason: string) => void;
}

/** What was touched, why, and the button that says what it does. */
function SaveBar({ editor, isNew, reason, onReason }: SaveBarProps) {
  const { form, changed, pending, problem } = editor;
  const count = Object.keys(form.formState.errors).length;
  const reschedules = changed.some((field) => WHEN.some((name) => name === field));
  return (
    <div className={styles.bar}>
      {problem && (
        <p role="alert" className={styles.problem}>
          <strong>{problem.title}.</strong> {problem.detail}
        </p>
      )}
      <p className={styles.count} role="status">
        {count > 0
          ? `${counted(count, "field")} to mend`
          : isNew
            ? ""
            : changed.length === 0
              ? "Nothing changed"
              : `${counted(changed.length, "field")} changed`}
      </p>
      <div className={styles.why}>
        <Field label="Why? (optional)">
          {(control) => (
            <input
              {...control}
              value={reason}
              maxLength={500}
              placeholder="Kept in the audit log"
              onChange={(event) => onReason(event.target.value)}
            />
          )}
        </Field>
      </div>
      <Button type="submit" look="primary" disabled={pending}>
        {pending ? "Saving…" : isNew ? "Create cron" : reschedules ? "Save and reschedule" : "Save"}
      </Button>
    </div>
  );
}
