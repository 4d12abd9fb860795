import type { ReactNode } from "react";
import { Chip } from "../parts/Page.js";
import { Th } from "../parts/Table.js";
import { Time } from "../time/Time.js";
import { changedFields, type AuditEntry } from "./changes.js";
import styles from "./audit.module.css";

/** Fields of a change that are shown, unless told otherwise. */
const MOST_FIELDS = 8;

/** What stands above {@link AuditRow}. */
export const AUDIT_HEAD = (
  <>
    <Th width="11rem">When</Th>
    <Th>Who</Th>
    <Th>What</Th>
    <Th>Changed</Th>
  </>
);

interface AuditRowProps {
  entry: AuditEntry;
  /** Fields that are shown at most. */
  most?: number;
  /** The zone of what it is about. */
  zone?: string;
  /** To what it was done, where that is not said above. */
  children?: ReactNode;
  /** Narrows the list to what was done. */
  onAction?: (action: string) => void;
}

/** A change: when, by whom and from where, what was done and why, and what became of what. */
export function AuditRow({ entry, most = MOST_FIELDS, zone, children, onAction }: AuditRowProps) {
  const { at, actor, via, keyPrefix, action, before, after, reason } = entry;
  const fields = before === null && after === null ? [] : changedFields(before, after);
  return (
    <tr className={styles.row}>
      <td>
        <Time at={at} zone={zone} seconds />
      </td>
      <td>
        {actor.name}{" "}
        <span className="muted small nowrap">{keyPrefix ? `key ${keyPrefix}…` : via}</span>
      </td>
      <td>
        {onAction === undefined ? (
          <Chip>{action}</Chip>
        ) : (
          <button type="button" onClick={() => onAction(action)} title={`Only ${action}`}>
            <Chip>{action}</Chip>
          </button>
        )}{" "}
        {children}
        {reason && (
          <p dir="auto">
            <q>{reason}</q>
          </p>
        )}
      </td>
      <td>
        <dl className={styles.diff}>
          {fields.slice(0, most).map(({ field, from, to }) => (
            <div key={field}>
              <dt>{field}</dt>
              <dd>
                {before !== null && <del>{from}</del>} {after !== null && <ins>{to}</ins>}
              </dd>
            </div>
          ))}
        </dl>
        {fields.length > most && <p className="small muted">and {fields.length - most} more</p>}
      </td>
    </tr>
  );
}
