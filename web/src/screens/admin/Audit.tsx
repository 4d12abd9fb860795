import { useInfiniteQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { AUDIT_HEAD, AuditRow } from "../../audit/AuditRow.js";
import { useLiveOptions } from "../../live/live.js";
import { Button } from "../../parts/Button.js";
import { Field } from "../../parts/Field.js";
import { Page } from "../../parts/Page.js";
import { SearchBox } from "../../parts/SearchBox.js";
import { EmptyState } from "../../parts/States.js";
import { useGrants } from "../../session/session.js";
import { serverNow } from "../../time/clock.js";
import { appSearch } from "../../url/app-search.js";
import { useSearchState } from "../../url/use-search-state.js";
import styles from "./admin.module.css";
import { List } from "./List.js";
import { MayNot } from "./MayNot.js";
import { auditQuery } from "./queries.js";
import { auditSearch } from "./search.js";

const ACTIONS = [
  ["", "everything"],
  ["cron.*", "crons"],
  ["job.*", "jobs"],
  ["app.*", "apps"],
  ["principal.*", "people"],
  ["role.*", "roles"],
  ["key.*", "keys"],
  ["secret.*", "secrets"],
  ["retention.*", "retention"],
] as const;

const DAY = 86_400_000;
const SPANS = [
  ["", "whenever"],
  ["1", "the last day"],
  ["7", "the last 7 days"],
  ["30", "the last 30 days"],
] as const;

/** Who changed what: of the installation, or of the app that is shown. */
export function Audit() {
  const [{ app }] = useSearchState(appSearch);
  const [filter, change] = useSearchState(auditSearch);
  const needs = app === "" ? "system:audit.read" : `app:${app}:audit.read`;
  const may = useGrants()(needs);
  const query = useInfiniteQuery({
    ...auditQuery({ app, ...filter }),
    ...useLiveOptions(15_000),
    enabled: may,
  });
  if (!may) return <MayNot title="Audit" what="this record" missing={needs} />;
  const { actor, action, from, to } = filter;
  const filtered = actor !== "" || action !== "" || from !== undefined || to !== undefined;
  const clear = () => change({ actor: "", action: "", from: undefined, to: undefined });
  return (
    <Page
      title="Audit"
      lead={
        <p className="small muted">
          {app === "" ? "Of the whole installation" : `Of ${app}`}, newest first.
        </p>
      }
    >
      <div className={styles.filters} role="search" aria-label="Audit">
        <SearchBox
          label="Who"
          placeholder="A name or id, in full"
          value={actor}
          onChange={(text) => change({ actor: text }, { replace: actor !== "" })}
        />
        <Field label="What was done to">
          {(control) => (
            <select
              {...control}
              value={action}
              onChange={(event) => change({ action: event.target.value })}
            >
              {ACTIONS.map(([value, text]) => (
                <option key={value} value={value}>
                  {text}
                </option>
              ))}
              {!ACTIONS.some(([value]) => value === action) && <option>{action}</option>}
            </select>
          )}
        </Field>
        <Field label="When">
          {(control) => (
            <select
              {...control}
              value={spanOf(from, to)}
              onChange={(event) => change({ from: begin(event.target.value), to: undefined })}
            >
              {SPANS.map(([value, text]) => (
                <option key={value} value={value}>
                  {text}
                </option>
              ))}
              {spanOf(from, to) === "other" && <option value="other">as in the address</option>}
            </select>
          )}
        </Field>
        {filtered && (
          <Button look="quiet" small onClick={clear}>
            <X size={13} aria-hidden="true" /> Clear
          </Button>
        )}
      </div>
      <List
        query={query}
        what="Changes"
        empty={
          <EmptyState title={filtered ? "Nothing on record matches" : "Nothing on record yet"}>
            {filtered && (
              <Button small onClick={clear}>
                Clear the filters
              </Button>
            )}
          </EmptyState>
        }
        head={AUDIT_HEAD}
        row={(entry) => (
          <AuditRow key={entry.id} entry={entry} onAction={(one) => change({ action: one })}>
            <span dir="auto">{entry.object.name ?? entry.object.id}</span>{" "}
            {entry.appId && <span className="small muted">{entry.appId}</span>}
          </AuditRow>
        )}
      />
    </Page>
  );
}

const begin = (days: string) =>
  days === ""
    ? undefined
    : new Date(Math.floor((serverNow() - Number(days) * DAY) / 60_000) * 60_000)
        .toISOString()
        .replace(".000Z", "Z");

function spanOf(from: string | undefined, to: string | undefined): string {
  if (from === undefined && to === undefined) return "";
  if (from === undefined || to !== undefined) return "other";
  const days = (serverNow() - Date.parse(from)) / DAY;
  return SPANS.find(([value]) => Math.abs(Number(value) - days) < 0.1)?.[0] ?? "other";
}
