import { useVirtualizer, type VirtualItem } from "@tanstack/react-virtual";
import { useLayoutEffect, useState, type RefObject } from "react";

/** Up to so many rows all are in the page: found by the browser's search, printed, read in one go. */
const ALL_IN_PAGE = 150;

interface VirtualRows {
  /** Absent: all of them are in the page. */
  items: readonly VirtualItem[] | undefined;
  /** How high what is not in the page would be. */
  above: number;
  below: number;
  measure: (row: Element | null) => void;
}

/**
 * Which of a long table's rows are in the page: those in sight of what scrolls, and some around them.
 *
 * @param body the table's body
 */
export function useVirtualRows(
  body: RefObject<HTMLElement | null>,
  keys: readonly string[],
  height: number,
): VirtualRows {
  const [margin, setMargin] = useState(0);
  const many = keys.length > ALL_IN_PAGE;
  const virtual = useVirtualizer({
    count: many ? keys.length : 0,
    getScrollElement: () => document.getElementById("main"),
    estimateSize: () => height,
    getItemKey: (at) => keys[at] ?? at,
    overscan: 6,
    scrollMargin: margin,
  });
  useLayoutEffect(() => {
    const main = document.getElementById("main");
    if (body.current === null || main === null) return;
    const { top } = body.current.getBoundingClientRect();
    setMargin(Math.round(top - main.getBoundingClientRect().top + main.scrollTop));
  }, [body, many]);
  if (!many) return { items: undefined, above: 0, below: 0, measure: () => undefined };
  const items = virtual.getVirtualItems();
  const [first, last] = [items[0], items.at(-1)];
  return {
    items,
    above: first === undefined ? 0 : first.start - margin,
    below: last === undefined ? 0 : virtual.getTotalSize() - (last.end - margin),
    measure: virtual.measureElement,
  };
}
