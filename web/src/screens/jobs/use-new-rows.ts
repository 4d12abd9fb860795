import { useEffect, useState } from "react";

/** How far down the page still counts as its top. */
const TOP = 48;

/** Rows that came while somebody reads further down: counted, and not shown until asked for. */
export interface NewRows<T> {
  shown: readonly T[];
  waiting: number;
  show: () => void;
}

/**
 * New rows come in by themselves at the top of the page only: elsewhere they would push away what
 * somebody is reading.
 *
 * @param key what list this is; another one begins anew
 * @param idOf grows from old rows to new ones
 */
export function useNewRows<T>(
  rows: readonly T[],
  key: string,
  idOf: (row: T) => number,
): NewRows<T> {
  const [held, setHeld] = useState<{ key: string; newest: number }>();
  const newest = rows.reduce((most, row) => Math.max(most, idOf(row)), 0);
  useEffect(() => {
    const page = document.getElementById("main");
    if (page === null) return undefined;
    const onScroll = () => {
      if (page.scrollTop <= TOP) setHeld(undefined);
      else setHeld((now) => (now?.key === key ? now : { key, newest }));
    };
    page.addEventListener("scroll", onScroll, { passive: true });
    return () => page.removeEventListener("scroll", onScroll);
  }, [key, newest]);
  const limit = held?.key === key ? held.newest : Infinity;
  const shown = rows.filter((row) => idOf(row) <= limit);
  const show = () => {
    setHeld(undefined);
    document.getElementById("main")?.scrollTo({ top: 0 });
  };
  return { shown, waiting: rows.length - shown.length, show };
}
