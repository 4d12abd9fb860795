import { useVirtualizer } from "@tanstack/react-virtual";
import type { LogLine as Line } from "carillon/client";
import { ArrowDown } from "lucide-react";
import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent } from "react";
import { counted } from "../../../time/format.js";
import { LogLine } from "./LogLine.js";
import styles from "./log.module.css";

interface LinesProps {
  lines: readonly Line[];
  q: string;
  since: number | undefined;
  wrap: boolean;
  live: boolean;
  following: boolean;
  onFollow: (on: boolean) => void;
}

const LINE = 20;
const TALLEST = 520;
const UP: ReadonlySet<string> = new Set(["ArrowUp", "PageUp", "Home"]);

/** However many lines: only those in sight are in the page. */
export function Lines({ lines, q, since, wrap, live, following, onFollow }: LinesProps) {
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => LINE,
    overscan: 24,
    getItemKey: (at) => lines[at]?.seq ?? at,
  });
  const newest = lines.at(-1)?.seq ?? 0;
  const unseen = useUnseen(newest, following);
  const toEnd = () => virtual.scrollToIndex(lines.length - 1, { align: "end" });

  useLayoutEffect(() => {
    if (following) toEnd();
  }, [newest, following, wrap]);
  useKeptPlace(virtual, lines);

  const onScroll = () => {
    const at = box.current;
    if (at === null || following) return;
    if (at.scrollHeight - at.scrollTop - at.clientHeight < 2) onFollow(true);
  };
  const leave = () => {
    if (following) onFollow(false);
  };
  const onKey = ({ key }: KeyboardEvent) => {
    if (UP.has(key)) leave();
  };
  const tall = virtual.getTotalSize();
  const attempts = (lines[0]?.attempt ?? 1) !== (lines.at(-1)?.attempt ?? 1);
  return (
    <div className={styles.frame}>
      <div
        ref={box}
        className={styles.box}
        role="log"
        aria-live="off"
        aria-label="Log"
        tabIndex={0}
        data-wrap={wrap || undefined}
        style={{ height: Math.min(tall + 16, TALLEST) }}
        onScroll={onScroll}
        onWheel={({ deltaY }) => deltaY < 0 && leave()}
        onTouchMove={leave}
        onPointerDown={leave}
        onKeyDown={onKey}
      >
        <div className={styles.lines} style={{ height: tall }}>
          {virtual.getVirtualItems().map(({ index, key, start }) => {
            const line = lines[index];
            return line === undefined ? null : (
              <div
                key={key}
                ref={virtual.measureElement}
                data-index={index}
                className={styles.place}
                style={{ transform: `translateY(${start}px)` }}
              >
                <LogLine line={line} q={q} since={since} attempts={attempts} />
              </div>
            );
          })}
        </div>
      </div>
      {live && !following && unseen > 0 && (
        <button type="button" className={styles.unseen} onClick={() => onFollow(true)}>
          {counted(unseen, "new line")} <ArrowDown size={13} aria-hidden="true" />
        </button>
      )}
    </div>
  );
}

/** How many lines have come since one stopped following. */
function useUnseen(newest: number, following: boolean): number {
  const [seen, setSeen] = useState(newest);
  useEffect(() => {
    if (following) setSeen(newest);
  }, [following, newest]);
  return Math.max(0, newest - seen);
}

/** When earlier lines come in above, those in sight stay where they are. */
function useKeptPlace(
  virtual: { scrollToIndex: (at: number, how: { align: "start" }) => void },
  lines: readonly Line[],
): void {
  const before = useRef<number>(undefined);
  const first = lines[0]?.seq;
  useLayoutEffect(() => {
    const was = before.current;
    if (was !== undefined && first !== undefined && first < was) {
      const at = lines.findIndex(({ seq }) => seq === was);
      if (at > 0) virtual.scrollToIndex(at, { align: "start" });
    }
    before.current = first;
  }, [first, lines, virtual]);
}
