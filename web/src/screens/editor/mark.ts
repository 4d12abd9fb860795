const PLACES = ["minute", "hour", "day-of-month", "month", "day-of-week"];

/**
 * Where in a schedule the part is that the server refused by name: `hour "25" is out of range`.
 * Undefined where it names none; nothing is judged here.
 */
export function markOf(schedule: string, message: string): readonly [number, number] | undefined {
  const [, place = "", quoted = ""] = /^([a-z-]+) "([^"]+)"/.exec(message) ?? [];
  const word = [...schedule.matchAll(/[^ \t]+/g)][PLACES.indexOf(place)];
  if (word === undefined || quoted === "") return undefined;
  for (const element of word[0].matchAll(/[^,]+/g)) {
    if (element[0] !== quoted) continue;
    const from = word.index + element.index;
    return [from, from + quoted.length];
  }
  return undefined;
}
