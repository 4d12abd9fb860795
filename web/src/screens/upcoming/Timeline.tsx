import { useState, type KeyboardEvent } from "react";
import { blockPath, columnPath, niceMax } from "../../charts/columns.js";
import { Most } from "../../charts/Most.js";
import { clockTime, counted } from "../../time/format.js";
import { timeText } from "../../time/Time.js";
import { useNow } from "../../time/clock.js";
import { useTimeStyle } from "../../time/times.js";
import type { Ahead, Bucket } from "./queries.js";
import styles from "./upcoming.module.css";

interface TimelineProps {
  ahead: Ahead;
  height?: number;
}

const STEP = { "1m": 60_000, "15m": 900_000, "1h": 3_600_000 } as const;
const WIDTH = 1000;

/** How many slots are due when: one column a bucket, walked by the arrow keys. */
export function Timeline({ ahead, height = 120 }: TimelineProps) {
  const [at, setAt] = useState<number>();
  const style = useTimeStyle();
  const now = useNow(60_000);
  const step = STEP[ahead.bucket as keyof typeof STEP];
  const begin = Math.floor(Date.parse(ahead.from) / step) * step;
  const places = Math.max(1, Math.round((Date.parse(ahead.to) - begin) / step));
  const width = WIDTH / places;
  const most = niceMax(Math.max(1, ...ahead.buckets.map(({ count }) => count)));
  const placeOf = ({ at: start }: Bucket) => Math.round((Date.parse(start) - begin) / step);
  const byPlace = new Map(ahead.buckets.map((bucket) => [placeOf(bucket), bucket]));
  const columns = ahead.buckets.map((bucket) => {
    const tall = (bucket.count / most) * height;
    return columnPath(placeOf(bucket) * width + width * 0.12, height - tall, width * 0.76, tall);
  });
  const describe = (place: number) => {
    const bucket = byPlace.get(place);
    const when = timeText(begin + place * step, style, now, { show: "full", seconds: false });
    if (bucket === undefined) return `${when}: nothing due`;
    const names = bucket.crons.map(({ name, count }) => (count > 1 ? `${name} ×${count}` : name));
    return `${when}: ${counted(bucket.count, "slot")} (${names.slice(0, 4).join(", ")}${bucket.crons.length > 4 ? ", …" : ""})`;
  };
  const walk = (event: KeyboardEvent) => {
    const moves: Record<string, number> = {
      ...{ ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -places, End: places },
    };
    const move = moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    setAt((place) => Math.min(places - 1, Math.max(0, (place ?? -1) + move)));
  };
  const marks = ticksOf(begin, places, step);
  return (
    <figure className={styles.figure}>
      <div
        role="slider"
        tabIndex={0}
        aria-label="Slots ahead, by time"
        aria-valuemin={1}
        aria-valuemax={places}
        aria-valuenow={(at ?? 0) + 1}
        aria-valuetext={describe(at ?? 0)}
        className={styles.chart}
        onKeyDown={walk}
        onBlur={() => setAt(undefined)}
      >
        <svg
          viewBox={`0 0 ${WIDTH} ${height}`}
          preserveAspectRatio="none"
          className={styles.columns}
          style={{ height }}
          aria-hidden="true"
          onPointerMove={(event) => {
            const box = event.currentTarget.getBoundingClientRect();
            setAt(Math.floor(((event.clientX - box.left) / box.width) * places));
          }}
          onPointerLeave={() => setAt(undefined)}
        >
          {[0, 0.5].map((line) => (
            <path key={line} className={styles.grid} d={`M0 ${height * line}h${WIDTH}`} />
          ))}
          {at !== undefined && (
            <path className={styles.here} d={blockPath(at * width, 0, width, height)} />
          )}
          <path className={styles.column} d={columns.join("")} />
        </svg>
        <Most value={most} />
      </div>
      <div className={styles.axis} aria-hidden="true">
        {marks.map((place) => (
          <span key={place} style={{ left: `${(place / places) * 100}%` }} className="num">
            {clockTime(begin + place * step, style)}
          </span>
        ))}
      </div>
      <figcaption className={styles.told}>
        {at === undefined
          ? `${counted(ahead.count, "slot")}${ahead.capped ? " and more" : ""} ahead; most at once: ${Math.max(0, ...ahead.buckets.map(({ count }) => count))}`
          : describe(at)}
      </figcaption>
    </figure>
  );
}

/** Some six marks at round places. */
function ticksOf(begin: number, places: number, step: number): number[] {
  const every =
    [5, 10, 15, 60, 180, 720, 1440]
      .map((min) => min * 60_000)
      .find((ms) => (places * step) / ms <= 8) ?? step;
  const first = Math.ceil(begin / every) * every;
  const marks: number[] = [];
  for (let at = first; at < begin + places * step; at += every) marks.push((at - begin) / step);
  return marks;
}
