import { useState } from "react";
import { useNow } from "./clock.js";
import {
  calendarDay,
  cityOf,
  clockTime,
  duration,
  nearDay,
  offsetAt,
  relative,
  type TimeStyle,
  wholeSeconds,
} from "./format.js";
import { MY_ZONE, useTimeStyle } from "./times.js";

interface TimeProps {
  /** An instant, as the API gives it. */
  at: string;
  /** The zone of what it is about. */
  zone?: string | undefined;
  /** What to show: the time of day alone, with its day, or the day alone. */
  show?: "clock" | "full" | "day";
  seconds?: boolean;
  /** With the offset from UTC: where two times could be confused. */
  offset?: boolean;
}

/** An instant in the zone the page shows; all of the others in its title. */
export function Time({ at, zone, show = "full", seconds = false, offset = false }: TimeProps) {
  const style = useTimeStyle(zone);
  const now = useNow(60_000);
  const ms = Date.parse(at);
  return (
    <time dateTime={at} {...useEveryTime(ms, zone, style, now)} className="num nowrap">
      {timeText(ms, style, now, { show, seconds })}
      {offset && <span className="muted small"> {offsetAt(ms, style.zone)}</span>}
    </time>
  );
}

/** `Mon 23 Nov, 09:00`, `today 09:00`, `09:00:12`. */
export function timeText(
  ms: number,
  style: TimeStyle,
  now: number,
  { show, seconds }: { show: "clock" | "full" | "day"; seconds: boolean },
): string {
  if (show === "clock") return clockTime(ms, style, seconds);
  const near = nearDay(ms, style, now);
  const day = near ?? calendarDay(ms, style, now);
  if (show === "day") return day;
  const clock = clockTime(ms, style, seconds);
  return near === undefined ? `${day}, ${clock}` : `${day} ${clock}`;
}

/** Its title in every zone, made when it is first pointed at: a list has very many of them. */
function useEveryTime(ms: number, zone: string | undefined, style: TimeStyle, now: number) {
  const [pointed, setPointed] = useState(false);
  return {
    onPointerEnter: () => setPointed(true),
    ...(pointed && { title: everyTime(ms, zone, style, now) }),
  };
}

/** The same instant in every zone somebody may ask for. */
function everyTime(ms: number, zone: string | undefined, style: TimeStyle, now: number): string {
  const zones = [...new Set([zone ?? style.zone, "UTC", MY_ZONE])];
  const lines = zones.map((name) => {
    const shown = { zone: name, hour12: style.hour12 };
    const own = name === MY_ZONE ? " (yours)" : "";
    const text = `${calendarDay(ms, shown, now)}, ${clockTime(ms, shown, true)}`;
    return `${text} ${cityOf(name)} ${offsetAt(ms, name)}${own}`;
  });
  return [...lines, new Date(ms).toISOString()].join("\n");
}

/** `12 min ago`, `in 4 min`; counts by seconds in the last minute before and the first after. */
export function Ago({ at, zone }: { at: string; zone?: string | undefined }) {
  const style = useTimeStyle(zone);
  const ms = Date.parse(at);
  const coarse = useNow(10_000);
  const near = Math.abs(ms - coarse) < 75_000;
  const now = useNow(near ? 1000 : 10_000);
  return (
    <time dateTime={at} {...useEveryTime(ms, zone, style, now)} className="num nowrap">
      {relative(ms, now)}
    </time>
  );
}

/** How long until then, counting; readers get the time itself from what stands beside it. */
export function Countdown({ at }: { at: string }) {
  const now = useNow(1000);
  const left = Date.parse(at) - now;
  return (
    <span className="num" aria-hidden="true">
      {left < 1000 ? "now" : `in ${wholeSeconds(left)}`}
    </span>
  );
}

/** A length of time, in seconds as the API gives it. */
export function Duration({ seconds }: { seconds: number | null | undefined }) {
  if (seconds == null) return <span className="muted">—</span>;
  return <span className="num nowrap">{duration(seconds * 1000)}</span>;
}

/** Which zone a page's times are in, said once. */
export function ZoneName({ zone }: { zone: string }) {
  return <span title={zone}>{cityOf(zone)}</span>;
}
