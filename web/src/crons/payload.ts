type Parsed = { value: Record<string, unknown> } | { error: string };

/** Reads a payload as it is typed: an object in JSON, or what is wrong with it and where. */
export function parsePayload(text: string): Parsed {
  let value: unknown;
  let rounded: string | undefined;
  try {
    value = JSON.parse(text, (_name, part: unknown, context?: { source?: string }) => {
      if (isRounded(part, context?.source)) rounded ??= context?.source;
      return part;
    });
  } catch (error) {
    return { error: whereIn(text, (error as Error).message) };
  }
  if (rounded !== undefined) {
    const at = text.slice(0, text.indexOf(rounded)).split("\n").length;
    return {
      error: `Line ${at}: ${rounded} would be rounded. Write it as a string, "${rounded}".`,
    };
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return { value: value as Record<string, unknown> };
  }
  const what = Array.isArray(value) ? "a list" : value === null ? "null" : `a ${typeof value}`;
  return { error: `The payload must be an object, like { "to": "ops" }. This is ${what}.` };
}

/** A whole number of more digits than a browser can hold; where it does not show the text, none is. */
const isRounded = (part: unknown, source: string | undefined) =>
  source !== undefined && Number.isInteger(part) && !Number.isSafeInteger(part);

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
