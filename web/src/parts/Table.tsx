import type { ReactNode, Ref } from "react";
import styles from "./table.module.css";

interface TableProps {
  /** What the table holds, for readers. */
  caption: string;
  head: ReactNode;
  /** At least so wide: it scrolls sideways in less room. */
  least?: string;
  /**
   * On a phone each row is a card instead, whose cells the caller may place; before a cell stands its
   * data-label.
   */
  cards?: boolean;
  /** How many rows there are with the head, where not all of them are in the page. */
  rows?: number | undefined;
  body?: Ref<HTMLTableSectionElement>;
  children: ReactNode;
}

/** A plain table in a box of its own that scrolls sideways when it must. */
export function Table(props: TableProps) {
  const { caption, head, least, cards = false, rows, body, children } = props;
  return (
    <div className={styles.scroll} role="region" aria-label={caption} tabIndex={0}>
      <table
        className={styles.table}
        data-cards={cards || undefined}
        style={{ minWidth: least }}
        aria-rowcount={rows}
      >
        <caption className="sr-only">{caption}</caption>
        <thead>
          <tr>{head}</tr>
        </thead>
        <tbody ref={body}>{children}</tbody>
      </table>
    </div>
  );
}

interface HeadProps {
  children: ReactNode;
  width?: string;
  className?: string | undefined;
  /** Numbers stand right. */
  right?: boolean;
  /** Its name is for readers alone. */
  hidden?: boolean;
  /** How the rows are sorted by it; absent: they cannot be. */
  sort?: "ascending" | "descending" | "none";
  onSort?: () => void;
}

export function Th(props: HeadProps) {
  const { children, width, className, right = false, hidden = false, sort, onSort } = props;
  return (
    <th
      scope="col"
      className={className}
      style={{ width }}
      data-right={right || undefined}
      {...(sort ? { "aria-sort": sort } : {})}
    >
      {hidden ? <span className="sr-only">{children}</span> : null}
      {!hidden && onSort && (
        <button type="button" className={styles.sort} onClick={onSort}>
          {children}
          <span aria-hidden="true">
            {sort === "ascending" ? " ↑" : sort === "descending" ? " ↓" : ""}
          </span>
        </button>
      )}
      {!hidden && !onSort && children}
    </th>
  );
}

interface PickProps {
  /** What is selected by it: `Select job 7`. */
  label: string;
  checked: boolean;
  onChange: (on: boolean) => void;
}

/** The cell by which a row is selected; its row has data-selected while it is. */
export function Pick(props: PickProps) {
  return (
    <td className={styles.pick}>
      <Box {...props} />
    </td>
  );
}

/** The same for all rows that are shown. */
export function PickAll(props: PickProps) {
  return (
    <th scope="col" className={styles.pick}>
      <Box {...props} />
    </th>
  );
}

const Box = ({ label, checked, onChange }: PickProps) => (
  <input
    type="checkbox"
    aria-label={label}
    checked={checked}
    onChange={(event) => onChange(event.target.checked)}
  />
);

/** Fetches what comes after the last row. */
export function More({
  query,
  what,
}: {
  query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };
  what: string;
}) {
  if (!query.hasNextPage) return null;
  return (
    <div className={styles.more}>
      <button
        type="button"
        className={styles.moreButton}
        onClick={() => void query.fetchNextPage()}
      >
        {query.isFetchingNextPage ? "Reading…" : `Show more ${what}`}
      </button>
    </div>
  );
}
