/*
 * Lengths of time as they are typed: `90`, `15 min`, `1 h 30 min`. What is written from a number of
 * seconds reads back as the same number.
 */

const UNITS = [
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
  ["s", 1],
] as const;

/** `1 h 30 min` of 5400; exact, unlike what `duration` shows. */
export function spanText(seconds: number): string {
  if (seconds === 0) return "0 s";
  let left = seconds;
  const parts: string[] = [];
  for (const [unit, size] of UNITS) {
    const many = Math.floor(left / size);
    if (many > 0) parts.push(`${many} ${unit}`);
    left -= many * size;
  }
  return parts.join(" ");
}

const PART =
  /^(\d{1,9})\s*(days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)(?![a-z])[\s,]*/i;

/** Seconds of a text; undefined for one that is no length of time. A bare number is seconds. */
export function readSpan(text: string): number | undefined {
  let rest = text.trim();
  if (/^\d{1,9}$/.test(rest)) return Number(rest);
  let total = 0;
  while (rest !== "") {
    const [part, many, unit] = PART.exec(rest) ?? [];
    if (part === undefined || unit === undefined) return undefined;
    total +=
      Number(many) *
      (UNITS.find(([name]) => name.startsWith(unit.charAt(0).toLowerCase()))?.[1] ?? 1);
    rest = rest.slice(part.length);
  }
  return text.trim() === "" ? undefined : total;
}
