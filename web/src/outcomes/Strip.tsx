import { useState, type PointerEvent, type ReactNode } from "react";
import { baseline, OUTCOMES, type Outcome } from "./outcomes.js";
import styles from "./outcomes.module.css";

export interface StripGeometry {
  cell: number;
  gap: number;
  height: number;
}

export const SMALL: StripGeometry = { cell: 4, gap: 1, height: 18 };
export const LARGE: StripGeometry = { cell: 8, gap: 2, height: 32 };

/** One path for each outcome: a thousand strips stay quick. */
export function stripPaths(
  cells: readonly (Outcome | undefined)[],
  { cell, gap, height }: StripGeometry,
): [Outcome | undefined, string][] {
  const paths = new Map<Outcome | undefined, string>();
  cells.forEach((outcome, at) => {
    const shape = outcome === undefined ? baseline : OUTCOMES[outcome].shape;
    const drawn = shape(at * (cell + gap), 0, cell, height);
    paths.set(outcome, (paths.get(outcome) ?? "") + drawn);
  });
  return [...paths];
}

interface StripProps {
  /** Oldest first; the newest is drawn rightmost. */
  outcomes: readonly Outcome[];
  /** Cells there is room for; those before the first slot are drawn empty. */
  length: number;
  /** What a reader says. */
  label: string;
  /** What is shown of the slot under the pointer, by its place in `outcomes`. */
  describe?: (at: number) => ReactNode;
  geometry?: StripGeometry;
  /** The slot that the keyboard is at, by its place in `outcomes`. */
  pointed?: number | undefined;
}

/** What became of the last slots, as a picture: one cell a slot. */
export function Strip(props: StripProps) {
  const { outcomes, length, label, describe, geometry = SMALL, pointed } = props;
  const [hovered, setHovered] = useState<number>();
  const shown = outcomes.slice(-length);
  const empty = length - shown.length;
  const over = hovered ?? (pointed === undefined ? undefined : pointed + length - outcomes.length);
  const cells = [...Array.from<undefined>({ length: empty }), ...shown];
  const step = geometry.cell + geometry.gap;
  const width = length * step - geometry.gap;

  const follow = (event: PointerEvent<SVGSVGElement>) => {
    const at = Math.floor(
      (event.clientX - event.currentTarget.getBoundingClientRect().left) / step,
    );
    setHovered(at >= empty && at < length ? at : undefined);
  };
  const tip = over === undefined ? undefined : describe?.(outcomes.length - length + over);
  return (
    <span className={styles.frame}>
      <svg
        role="img"
        aria-label={label}
        width={width}
        height={geometry.height}
        className={styles.strip}
        onPointerMove={describe && follow}
        onPointerLeave={() => setHovered(undefined)}
      >
        {stripPaths(cells, geometry).map(([outcome, d]) => (
          <path
            key={outcome ?? ""}
            d={d}
            className={styles.cells}
            data-tone={outcome === undefined ? "none" : OUTCOMES[outcome].tone}
          />
        ))}
        {tip && over !== undefined && (
          <rect
            className={styles.cursor}
            x={over * step - 1}
            y={-2}
            width={geometry.cell + 2}
            height={geometry.height + 4}
          />
        )}
      </svg>
      {tip && over !== undefined && (
        <span className={styles.tip} style={{ right: Math.max(0, width - (over + 12) * step) }}>
          {tip}
        </span>
      )}
    </span>
  );
}
