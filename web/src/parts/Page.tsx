import { useEffect, type ReactNode } from "react";
import { createStore, useStore } from "../store.js";
import styles from "./page.module.css";

/** The page's name, as the tab of the browser has it. */
export const pageTitle = createStore("");

interface PageProps {
  title: string;
  /** Beside the title: a mark, a chip. */
  mark?: ReactNode;
  /** Below it: the one sentence that matters. */
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** A page: its one heading, what can be done with it, and its blocks. */
export function Page({ title, mark, lead, actions, children }: PageProps) {
  useEffect(() => {
    pageTitle.set(title);
  }, [title]);
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <div className={styles.heading}>
          <div className={styles.titleRow}>
            {mark}
            <h1 className={styles.title}>{title}</h1>
          </div>
          {lead && <div className={styles.lead}>{lead}</div>}
        </div>
        {actions && <div className={styles.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}

export const usePageTitle = () => useStore(pageTitle);

interface CardProps {
  title?: string;
  /** At the right of its title. */
  aside?: ReactNode;
  /** Its content reaches its edges, as tables do. */
  flush?: boolean;
  children: ReactNode;
}

/** A block of a page. */
export function Card({ title, aside, flush = false, children }: CardProps) {
  return (
    <section className={styles.card} {...(title ? { "aria-label": title } : {})}>
      {title && (
        <div className={styles.cardHead}>
          <h2>{title}</h2>
          {aside && <div className={styles.aside}>{aside}</div>}
        </div>
      )}
      <div className={styles.cardBody} data-flush={flush || undefined}>
        {children}
      </div>
    </section>
  );
}

/** A list of facts. */
export function Facts({ facts }: { facts: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className={styles.facts}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A short label on something: `manifest`, `jitter 30 s`. */
export function Chip({ children, title }: { children: ReactNode; title?: string }) {
  return (
    <span className={styles.chip} title={title}>
      {children}
    </span>
  );
}
