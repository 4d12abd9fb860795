import { useEffect, useRef, type RefObject } from "react";

/**
 * Keeps what is chosen in a row of choices in sight, where the row is longer than its box.
 *
 * @param chosen changes with the choice
 */
export function useInSight<E extends HTMLElement>(chosen: string): RefObject<E | null> {
  const row = useRef<E>(null);
  useEffect(() => {
    const { current } = row;
    if (current === null) return undefined;
    const show = () => {
      const one = current.querySelector<HTMLElement>("[data-active]");
      if (one === null) return;
      const middle = one.offsetLeft + one.offsetWidth / 2 - current.offsetLeft;
      current.scrollLeft = middle - current.clientWidth / 2;
    };
    const observer = new ResizeObserver(show);
    observer.observe(current);
    return () => observer.disconnect();
  }, [chosen]);
  return row;
}
