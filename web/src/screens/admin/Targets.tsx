import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Fragment, useState } from "react";
import { useLiveOptions } from "../../live/live.js";
import { Button } from "../../parts/Button.js";
import { confirm } from "../../parts/confirm.js";
import { ErrorLine } from "../../parts/ErrorLine.js";
import { Field } from "../../parts/Field.js";
import { Card } from "../../parts/Page.js";
import { EmptyState, Loadable } from "../../parts/States.js";
import { Th } from "../../parts/Table.js";
import { say } from "../../parts/toasts.js";
import { client, useGrants } from "../../session/session.js";
import { count, counted, duration } from "../../time/format.js";
import { Ago } from "../../time/Time.js";
import styles from "./admin.module.css";
import { FormDialog } from "./FormDialog.js";
import { List } from "./List.js";
import { OfApp } from "./OfApp.js";
import { breakerQuery, brokenQuery, changed, type Breaker, type BrokenTarget } from "./queries.js";
import { useForm } from "./use-form.js";

/** Which targets of an app are broken, and when calls to them are held back. */
export function Targets() {
  const grants = useGrants();
  return (
    <OfApp
      title="Targets"
      what="targets"
      needs="target.read"
      lead="A target that fails again and again is not called for a while: what breaks together (an origin, an image, a Faktory server) is held back together."
    >
      {(appId) => {
        const mayWrite = grants(`app:${appId}:target.write`);
        return (
          <Fragment key={appId}>
            <Broken appId={appId} mayWrite={mayWrite} />
            <Rule appId={appId} mayWrite={mayWrite} />
          </Fragment>
        );
      }}
    </OfApp>
  );
}

interface PartProps {
  appId: string;
  mayWrite: boolean;
}

function Broken({ appId, mayWrite }: PartProps) {
  const query = useInfiniteQuery({ ...brokenQuery(appId), ...useLiveOptions(5000) });
  return (
    <List
      query={query}
      what="Broken targets"
      empty={
        <EmptyState good title={`Every target of ${appId} answered when it was last called`} />
      }
      head={
        <>
          <Th>Target</Th>
          <Th>State</Th>
          <Th right>Failures in a row</Th>
          <Th>The last one</Th>
          <Th hidden>Actions</Th>
        </>
      }
      row={(target) => <Row key={target.key} appId={appId} target={target} mayWrite={mayWrite} />}
    />
  );
}

const STATES = {
  closed: "is called",
  open: "is held back",
  "half-open": "is being tried",
} as const satisfies Record<BrokenTarget["state"], string>;

function Row({ appId, target, mayWrite }: PartProps & { target: BrokenTarget }) {
  const { key, state, failures, nextProbeAt, lastError } = target;
  return (
    <tr>
      <td>
        <code>{key}</code>
      </td>
      <td data-label="State" className={state === "closed" ? undefined : styles.bad}>
        {STATES[state]}
        {state === "open" && nextProbeAt !== null && (
          <span className="muted small">
            {" "}
            · tried again <Ago at={nextProbeAt} />
          </span>
        )}
      </td>
      <td data-label="Failures in a row" data-right>
        {count(failures)}
      </td>
      <td data-label="The last one">
        <ErrorLine error={`${lastError.class}: ${lastError.message}`} />
        <span className="muted small">
          <Ago at={lastError.at} />
        </span>
      </td>
      <td data-right>
        {mayWrite && (
          <Button small aria-label={`Call again: ${key}`} onClick={() => askToReset(appId, key)}>
            Call again…
          </Button>
        )}
      </td>
    </tr>
  );
}

function askToReset(appId: string, key: string): void {
  confirm({
    title: `Call ${key} again?`,
    body: <p>Its failures are forgotten: jobs of {appId} that wait for it go out at once.</p>,
    verb: "Call again",
    run: async () => {
      await client().targets.reset(appId, { key });
      say({ title: `${key} is called again` });
      await changed("targets");
    },
  });
}

function Rule({ appId, mayWrite }: PartProps) {
  const query = useQuery(breakerQuery(appId));
  const [open, setOpen] = useState(false);
  return (
    <Card
      title="When calls are held back"
      aside={
        mayWrite && (
          <Button small onClick={() => setOpen(true)}>
            Change…
          </Button>
        )
      }
    >
      <Loadable query={query}>
        {(rule) => (
          <>
            <p>{wordsOf(rule)}</p>
            {open && <RuleDialog appId={appId} now={rule} onClose={() => setOpen(false)} />}
          </>
        )}
      </Loadable>
    </Card>
  );
}

function wordsOf({ failures, coolDown }: Breaker): string {
  if (failures === null) return "As the dispatchers are told.";
  if (failures === 0) return "Never: every job calls its target, however often it failed.";
  const wait = duration((coolDown ?? 60) * 1000);
  return `After ${counted(failures, "failure")} in a row; one call tries again ${wait} later.`;
}

interface RuleDialogProps {
  appId: string;
  now: Breaker;
  onClose: () => void;
}

function RuleDialog({ appId, now, onClose }: RuleDialogProps) {
  const [failures, setFailures] = useState(now.failures === null ? "" : String(now.failures));
  const [coolDown, setCoolDown] = useState(now.coolDown === null ? "" : String(now.coolDown));
  const numberOf = (text: string) => (text.trim() === "" ? null : Number(text));
  const form = useForm(
    () =>
      client().targets.setBreaker(appId, {
        failures: numberOf(failures),
        coolDown: numberOf(coolDown),
      }),
    () => {
      void changed("targets");
      say({ title: `Changed when targets of ${appId} are held back` });
      onClose();
    },
    ["failures", "coolDown"],
  );
  return (
    <FormDialog
      title={`Held back targets of ${appId}`}
      verb="Save"
      open
      onClose={onClose}
      form={form}
    >
      <div className={styles.row}>
        <Field
          label="Failures in a row"
          hint="0: never hold back. Empty: as the dispatchers are told."
          error={form.errorOf("failures")}
        >
          {(control) => (
            <input
              {...control}
              type="number"
              min={0}
              value={failures}
              onChange={(event) => setFailures(event.target.value)}
            />
          )}
        </Field>
        <Field
          label="Seconds until it is tried again"
          hint="Empty: 60."
          error={form.errorOf("coolDown")}
        >
          {(control) => (
            <input
              {...control}
              type="number"
              min={1}
              value={coolDown}
              onChange={(event) => setCoolDown(event.target.value)}
            />
          )}
        </Field>
      </div>
    </FormDialog>
  );
}
