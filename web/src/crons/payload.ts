type Parsed = { value: Record<string, unknown> } | { error: string };

/** Reads a payload as it is typed: an object in JSON, or what is wrong with it and where. */
export function parsePayload(text: string): Parsed {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { error: whereIn(text, (error as Error).message) };
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return { value: value as Record<string, unknown> };
  }
  const what = Array.isArray(value) ? "a list" : value === null ? "null" : `a ${typeof value}`;
  return { error: `The payload must be an object, like { "to": "ops" }. This is ${what}.` };
}

/** Browsers give a position, a line and column, or neither. */
function whereIn(text: string, message: string): string {
  const [, position] = /position (\d+)/.exec(message) ?? [];
  const why = message
    .replace(/^JSON\.parse: /, "")
    .replace(/,? ?(\.\.\.)?"[\s\S]*is not valid JSON$/, "")
    .replace(/ in JSON at position[\s\S]*$/, "")
    .replace(/ at line[\s\S]*$/, "");
  if (position === undefined) return `Not valid JSON: ${why}.`;
  const before = text.slice(0, Number(position)).split("\n");
  return `Line ${before.length}, column ${(before.at(-1) ?? "").length + 1}: ${why}.`;
}
