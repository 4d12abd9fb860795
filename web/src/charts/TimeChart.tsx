import type { KeyboardEvent } from "react";
import { duration } from "../time/format.js";
import type { TimeStyle } from "../time/format.js";
import { bandPath, linePath, type Points } from "./lines.js";
import styles from "./charts.module.css";
import { secondsScale, type Scale } from "./scale.js";
import { timeTicks, type TimeTick } from "./time-axis.js";
import { useWidth } from "./use-width.js";

/** Half of the values lie below p50, nearly all below p95. */
export interface Spread {
  p50: number;
  p95: number;
}

interface TimeChartProps {
  /** What a reader says of it. */
  label: string;
  /** Where each bucket begins, in milliseconds. */
  starts: readonly number[];
  /** Seconds; null where a bucket has none. */
  values: readonly (Spread | null)[];
  /** Buckets in which something failed. */
  failed?: readonly boolean[];
  /** A length of time to compare with. */
  rule?: { seconds: number; text: string } | undefined;
  style: TimeStyle;
  /** The bucket that is looked at: of all charts of a page the same. */
  at: number | undefined;
  onAt: (at: number | undefined) => void;
  /** What is said of a bucket. */
  describe: (at: number) => string;
}

const HEIGHT = 168;
const EDGE = { left: 58, right: 12, top: 12, bottom: 24 };
const PLOT = HEIGHT - EDGE.top - EDGE.bottom;
/** A label of the axis needs so much. */
const ROOM = 68;

/** Percentiles over time; the arrow keys walk its buckets. */
export function TimeChart(props: TimeChartProps) {
  const { label, starts, values, failed = [], rule, style, at, onAt, describe } = props;
  const [frame, width] = useWidth<HTMLDivElement>();
  const plot = Math.max(1, width - EDGE.left - EDGE.right);
  const step = plot / starts.length;
  const room = Math.max(1, Math.floor(plot / ROOM));
  const most = Math.max(...values.map((value) => value?.p95 ?? 0));
  // One that is far away would press all else to the ground.
  const near = rule !== undefined && rule.seconds <= most * 3 && rule.seconds >= most / 20;
  const scale = secondsScale([
    ...values.flatMap((value) => (value === null ? [] : [value.p50, value.p95])),
    ...(near ? [rule.seconds] : []),
  ]);
  const x = (n: number) => EDGE.left + (n + 0.5) * step;
  const y = (seconds: number) => EDGE.top + (1 - scale.at(seconds)) * PLOT;
  const line = (which: keyof Spread): Points =>
    values.map((value, n) => (value === null ? undefined : [x(n), y(value[which])]));
  const [p50, p95] = [line("p50"), line("p95")];
  const last = starts.length - 1;

  const walk = (event: KeyboardEvent) => {
    const here = at ?? last;
    const moves: Record<string, number> = {
      ...{ ArrowLeft: here - 1, ArrowRight: here + 1, PageUp: here - 10, PageDown: here + 10 },
      ...{ Home: 0, End: last },
    };
    const next = moves[event.key];
    if (next === undefined) return;
    event.preventDefault();
    onAt(Math.min(last, Math.max(0, next)));
  };
  const point = (clientX: number, left: number) => {
    const n = Math.floor((clientX - left - EDGE.left) / step);
    onAt(n >= 0 && n <= last ? n : undefined);
  };
  return (
    <div
      ref={frame}
      className={styles.frame}
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-orientation="horizontal"
      aria-valuemin={1}
      aria-valuemax={starts.length}
      aria-valuenow={(at ?? last) + 1}
      aria-valuetext={describe(at ?? last)}
      onKeyDown={walk}
      onBlur={() => onAt(undefined)}
    >
      <svg
        width={width}
        height={HEIGHT}
        aria-hidden="true"
        className={styles.chart}
        onPointerMove={({ clientX, currentTarget }) =>
          point(clientX, currentTarget.getBoundingClientRect().left)
        }
        onPointerLeave={() => onAt(undefined)}
      >
        <Axes scale={scale} ticks={timeTicks(starts, style, room)} x={x} y={y} width={width} />
        <path className={styles.band} d={bandPath(p95, p50)} />
        <path className={styles.p95} d={linePath(p95)} />
        <path className={styles.p50} d={linePath(p50)} />
        {failed.map((bad, n) =>
          bad ? (
            // The notch of a failed slot, as everywhere.
            <path
              key={n}
              className={styles.failed}
              d={`M${x(n) - 4} ${EDGE.top + PLOT - 8}l4 4l4 -4v8h-8z`}
            />
          ) : null,
        )}
        {near && (
          <>
            <line
              className={styles.rule}
              x1={EDGE.left}
              x2={EDGE.left + plot}
              y1={y(rule.seconds)}
              y2={y(rule.seconds)}
            />
            <text
              className={styles.ruleText}
              x={EDGE.left + plot - 4}
              y={y(rule.seconds) - 5}
              textAnchor="end"
            >
              {rule.text}
            </text>
          </>
        )}
        {at !== undefined && at <= last && (
          <line
            className={styles.cursor}
            x1={x(at)}
            x2={x(at)}
            y1={EDGE.top}
            y2={EDGE.top + PLOT}
          />
        )}
      </svg>
      <p className={styles.told}>{describe(at ?? last)}</p>
    </div>
  );
}

interface AxesProps {
  scale: Scale;
  ticks: readonly TimeTick[];
  /** Where a bucket's middle is. */
  x: (at: number) => number;
  y: (seconds: number) => number;
  width: number;
}

/** What is written at the left and below, and the lines from there. */
function Axes({ scale, ticks, x, y, width }: AxesProps) {
  const right = width - EDGE.right;
  const half = (x(1) - x(0)) / 2;
  return (
    <>
      {scale.ticks.map((seconds) => (
        <g key={seconds}>
          <path className={styles.grid} d={`M${EDGE.left} ${y(seconds)}H${right}`} />
          <text className={styles.axis} x={EDGE.left - 8} y={y(seconds) + 4} textAnchor="end">
            {seconds === 0 ? "0" : duration(seconds * 1000)}
          </text>
        </g>
      ))}
      {ticks.map(({ at, text }) => (
        <g key={at}>
          <path className={styles.grid} d={`M${x(at) - half} ${EDGE.top}v${PLOT + 4}`} />
          <text
            className={styles.axis}
            x={Math.min(x(at) - half, right - 16)}
            y={HEIGHT - 6}
            textAnchor="middle"
          >
            {text}
          </text>
        </g>
      ))}
    </>
  );
}

/** How its lines are to be read. */
export function TimeLegend({ failed = false }: { failed?: boolean }) {
  return (
    <ul className={styles.legend} aria-hidden="true">
      <li>
        <svg width={22} height={10}>
          <path className={styles.p50} d="M1 5h20" />
        </svg>
        p50
      </li>
      <li>
        <svg width={22} height={10}>
          <path className={styles.p95} d="M1 5h20" />
        </svg>
        p95
      </li>
      {failed && (
        <li>
          <svg width={10} height={10}>
            <path className={styles.failed} d="M1 1l4 4l4 -4v8h-8z" />
          </svg>
          some failed
        </li>
      )}
    </ul>
  );
}
