import { useState, type KeyboardEvent } from "react";
import { blockPath, niceMax } from "../../charts/columns.js";
import { Most } from "../../charts/Most.js";
import { OUTCOMES, type Outcome } from "../../outcomes/outcomes.js";
import { OutcomeMark } from "../../outcomes/OutcomeMark.js";
import { useNow } from "../../time/clock.js";
import { clockTime, count, duration } from "../../time/format.js";
import { timeText } from "../../time/Time.js";
import { useTimeStyle } from "../../time/times.js";
import type { Hour } from "./queries.js";
import styles from "./overview.module.css";

/** What an hour held, from the ground up: the ordinary below, what is wrong on top. */
const STACK = [
  ["completed", ({ jobs }: Hour) => jobs.completed],
  ["skipped", ({ slots }: Hour) => slots.skipped],
  ["canceled", ({ jobs }: Hour) => jobs.canceled],
  ["caught_up", ({ slots }: Hour) => slots.caughtUp],
  ["missed", ({ slots }: Hour) => slots.missed],
  ["denied", ({ slots }: Hour) => slots.denied],
  ["undecided", ({ slots }: Hour) => slots.undecided],
  ["failed", ({ jobs }: Hour) => jobs.failed],
] as const satisfies readonly (readonly [Outcome, (hour: Hour) => number])[];

const WIDTH = 480;
const HEIGHT = 120;

/** The shape of a day: a column an hour; those that are few are drawn at least a hair high. */
export function LastDay({ hours }: { hours: readonly Hour[] }) {
  const [at, setAt] = useState<number>();
  const style = useTimeStyle();
  const now = useNow(60_000);
  const totals = hours.map((hour) => STACK.reduce((sum, [, of]) => sum + of(hour), 0));
  const most = niceMax(Math.max(1, ...totals));
  const width = WIDTH / Math.max(1, hours.length);
  const shown = STACK.filter(([, of]) => hours.some((hour) => of(hour) > 0));
  const paths = new Map<Outcome, string>();
  hours.forEach((hour, place) => {
    let top = HEIGHT;
    for (const [outcome, of] of shown) {
      const value = of(hour);
      if (value === 0) continue;
      const tall = Math.max(2.5, (value / most) * HEIGHT);
      top -= tall;
      const drawn = blockPath(place * width + 2, top, width - 4, tall - 0.75);
      paths.set(outcome, (paths.get(outcome) ?? "") + drawn);
    }
  });
  const describe = (place: number) => {
    const hour = hours[place];
    if (hour === undefined) return "";
    const parts = shown
      .map(([outcome, of]) => [of(hour), OUTCOMES[outcome].word] as const)
      .filter(([value]) => value > 0)
      .map(([value, word]) => `${count(value)} ${word}`);
    const lag = hour.lag && `decided within ${duration(hour.lag.p99 * 1000)} (p99)`;
    const when = timeText(Date.parse(hour.at), style, now, { show: "full", seconds: false });
    return [when, parts.join(", ") || "nothing", lag].filter(Boolean).join(" · ");
  };
  const walk = (event: KeyboardEvent) => {
    const moves: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, Home: -99, End: 99 };
    const move = moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    setAt((place) => Math.min(hours.length - 1, Math.max(0, (place ?? hours.length) + move)));
  };
  return (
    <figure className={styles.figure}>
      <ul className={styles.legend}>
        {shown.map(([outcome, of]) => (
          <li key={outcome}>
            <OutcomeMark outcome={outcome} size={11} />
            <span className="num">
              {count(hours.reduce((sum, hour) => sum + of(hour), 0))}
            </span>{" "}
            {OUTCOMES[outcome].word}
          </li>
        ))}
      </ul>
      <div
        role="slider"
        className={styles.plot}
        tabIndex={0}
        aria-label="Last 24 hours, by hour"
        aria-valuemin={1}
        aria-valuemax={Math.max(1, hours.length)}
        aria-valuenow={(at ?? hours.length - 1) + 1}
        aria-valuetext={describe(at ?? hours.length - 1)}
        onKeyDown={walk}
        onBlur={() => setAt(undefined)}
      >
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          className={styles.chart}
          aria-hidden="true"
          onPointerMove={(event) => {
            const box = event.currentTarget.getBoundingClientRect();
            setAt(Math.floor(((event.clientX - box.left) / box.width) * hours.length));
          }}
          onPointerLeave={() => setAt(undefined)}
        >
          <path className={styles.grid} d={`M0 0h${WIDTH}M0 ${HEIGHT / 2}h${WIDTH}`} />
          {at !== undefined && (
            <path className={styles.here} d={blockPath(at * width, 0, width, HEIGHT)} />
          )}
          {[...paths].map(([outcome, d]) => (
            <path key={outcome} d={d} className={styles.block} data-tone={OUTCOMES[outcome].tone} />
          ))}
        </svg>
        <Most value={most} />
      </div>
      <div className={styles.axis} aria-hidden="true">
        {hours.map((hour, place) =>
          place % 4 === 0 ? (
            <span
              key={hour.at}
              className="num"
              style={{ left: `${(place / hours.length) * 100}%` }}
            >
              {clockTime(Date.parse(hour.at), style)}
            </span>
          ) : null,
        )}
      </div>
      <figcaption className={styles.told}>{describe(at ?? hours.length - 1)}</figcaption>
    </figure>
  );
}
