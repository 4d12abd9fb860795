/*
 * Instants as people read them. All calendars are Intl's and the database's: nothing here adds days.
 */

/** How instants are shown. */
export interface TimeStyle {
  zone: string;
  hour12: boolean;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(name: string, zone: string, options: Intl.DateTimeFormatOptions) {
  const key = `${name} ${zone}`;
  let made = formats.get(key);
  if (made === undefined) {
    made = new Intl.DateTimeFormat("en-US", { ...options, timeZone: knownZone(zone) });
    formats.set(key, made);
  }
  return made;
}

/** A zone this browser knows; the database may know more of them. */
export function knownZone(zone: string): string {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: zone });
    return zone;
  } catch {
    return "UTC";
  }
}

type Parts = Partial<Record<Intl.DateTimeFormatPartTypes, string>>;

const partsOf = (made: Intl.DateTimeFormat, at: number): Parts =>
  Object.fromEntries(made.formatToParts(at).map(({ type, value }) => [type, value]));

/** `09:00`, `09:00:12`, `9:00 am`. */
export function clockTime(at: number, { zone, hour12 }: TimeStyle, seconds = false): string {
  const name = `${hour12 ? "h12" : "h23"}${seconds ? "s" : ""}`;
  const { hour, minute, second, dayPeriod } = partsOf(
    format(name, zone, {
      hour: hour12 ? "numeric" : "2-digit",
      minute: "2-digit",
      ...(seconds ? { second: "2-digit" } : {}),
      hourCycle: hour12 ? "h12" : "h23",
    }),
    at,
  );
  const digits = seconds ? `${hour}:${minute}:${second}` : `${hour}:${minute}`;
  return hour12 ? `${digits} ${(dayPeriod ?? "").toLowerCase()}` : digits;
}

/** `Mon 23 Nov`, or `Mon 23 Nov 2025` in another year than now. */
export function calendarDay(at: number, { zone }: TimeStyle, now: number): string {
  const made = format("day", zone, {
    ...{ weekday: "short", day: "numeric", month: "short", year: "numeric" },
  });
  const { weekday, day, month, year } = partsOf(made, at);
  const short = `${weekday} ${day} ${month}`;
  return year === partsOf(made, now).year ? short : `${short} ${year}`;
}

/**
 * `Mon 23 Nov, 09:00` of a wall clock that the server has read, as `2026-11-23T09:00:00`; with seconds
 * where they are not 0.
 */
export function wallTime(wall: string, hour12: boolean, now: number): string {
  const at = Date.parse(`${wall.slice(0, 19)}Z`);
  const style = { zone: "UTC", hour12 };
  return `${calendarDay(at, style, now)}, ${clockTime(at, style, at % 60_000 !== 0)}`;
}

/** `today`, `tomorrow` or `yesterday` by the calendar of the zone; undefined for other days. */
export function nearDay(at: number, { zone }: TimeStyle, now: number): string | undefined {
  const days = dayNumber(at, zone) - dayNumber(now, zone);
  return days === 0 ? "today" : days === 1 ? "tomorrow" : days === -1 ? "yesterday" : undefined;
}

/** Days since the epoch of an instant's date in a zone. */
function dayNumber(at: number, zone: string): number {
  const [year = 0, month = 1, day = 1] = dateKey(at, zone).split("-").map(Number);
  return Math.round(Date.UTC(year, month - 1, day) / 86_400_000);
}

/** `2026-11-23`: an instant's date in a zone. */
export function dateKey(at: number, zone: string): string {
  const { year, month, day } = partsOf(
    format("key", zone, { year: "numeric", month: "2-digit", day: "2-digit" }),
    at,
  );
  return `${year}-${month}-${day}`;
}

/** `−05:00`: a zone's offset from UTC at an instant. */
export function offsetAt(at: number, zone: string): string {
  const { timeZoneName = "" } = partsOf(format("offset", zone, { timeZoneName: "longOffset" }), at);
  const text = timeZoneName.replace("GMT", "");
  return text === "" ? "+00:00" : text.replace("-", "−");
}

/** `New York` of `America/New_York`; GMT stays what a cron and its sentence call it. */
export function cityOf(zone: string): string {
  return (zone.split("/").at(-1) ?? zone).replaceAll("_", " ");
}

/** Whether the clock of a zone is always UTC's, by whichever of its names. */
export const isUtc = (zone: string): boolean =>
  /^(Etc\/)?(UTC|GMT|UCT|Universal|Zulu|Greenwich)$/i.test(zone);

/** Milliseconds in one or two units: `38 ms`, `1.4 s`, `12 s`, `4 min 12 s`, `3 h 5 min`, `2 d 4 h`. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return "—";
  if (ms < 0) return `−${duration(-ms)}`;
  if (ms === 0) return "0 s";
  if (ms < 1) return "< 1 ms";
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return two(Math.floor(seconds / 60), "min", seconds % 60, "s");
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return two(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.round(minutes / 60);
  return two(Math.floor(hours / 24), "d", hours % 24, "h");
}

/** The same without tenths of a second: for what counts down. */
export function wholeSeconds(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return seconds < 10 ? `${seconds} s` : duration(seconds * 1000);
}

/** The same in one unit, rounded down: `3 s`, `12 min`, `2 h`, `5 d`. */
export function roughly(ms: number): string {
  const seconds = Math.floor(Math.abs(ms) / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

const two = (big: number, bigUnit: string, small: number, smallUnit: string) =>
  small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;

/** `12 min ago`, `in 4 min`, `now`. */
export function relative(at: number, now: number): string {
  const ms = at - now;
  if (Math.abs(ms) < 1000) return "now";
  return ms < 0 ? `${roughly(ms)} ago` : `in ${roughly(ms)}`;
}

/** Whole numbers with their thousands apart. */
export const count = (value: number): string => value.toLocaleString("en-US");

/** `1 job`, `2 jobs`. */
export const counted = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;
