/** The path with its parameters in place. */
export function fillPath(template: string, values: readonly unknown[]): string {
  let at = 0;
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[at++];
    const text = typeof value === "number" ? String(value) : value;
    // Dots alone would be taken out by whoever resolves the URL: another path than was meant.
    if (typeof text !== "string" || /^\.{0,2}$/.test(text)) {
      throw new TypeError(`${name} must be a non-empty text, got ${JSON.stringify(value)}`);
    }
    return encodeURIComponent(text);
  });
}

/** A query string with its question mark; empty for none. Lists are joined by commas. */
export function toQuery(query: object | undefined): string {
  const given = Object.entries(query ?? {}).filter(([, value]) => value != null);
  const text = new URLSearchParams(
    given.map(([name, value]): [string, string] => [name, String(value)]),
  );
  return given.length === 0 ? "" : `?${text.toString()}`;
}
