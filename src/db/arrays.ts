/*
 * postgres.js learns about array types by a query of its own on every new connection, and nobody
 * catches that query's error: a server that goes away at that moment would end the process by an
 * unhandled rejection. So the arrays that Carillon's functions take and give are taught here.
 */

const ITEM = /"((?:[^"\\]|\\.)*)"|([^,{}]+)/g;

/** Reads a one-dimensional array as PostgreSQL writes it, such as `{a,"b c",NULL}`. */
export function parseArray<T>(text: string, item: (text: string) => T): (T | null)[] {
  return Array.from(text.matchAll(ITEM), ([, quoted, bare]) => {
    if (quoted !== undefined) return item(quoted.replace(/\\(.)/gs, "$1"));
    return bare === undefined || bare === "NULL" ? null : item(bare);
  });
}

/** Writes a one-dimensional array as PostgreSQL reads it. */
export function formatArray(items: readonly (string | number | null)[]): string {
  const quote = (item: string | number | null) =>
    item === null ? "NULL" : `"${String(item).replace(/["\\]/g, "\\$&")}"`;
  return `{${items.map(quote).join(",")}}`;
}

const arrayType = <T>(oid: number, item: (text: string) => T) => ({
  to: oid,
  from: [oid],
  serialize: formatArray,
  parse: (text: string) => parseArray(text, item),
});

const asText = (text: string) => text;

/** The array types a pool knows, by their fixed OIDs. */
export const ARRAY_TYPES = {
  integers: arrayType(1007, Number),
  texts: arrayType(1009, asText),
  bigints: arrayType(1016, Number),
  timestamps: arrayType(1185, (text) => new Date(text)),
  uuids: arrayType(2951, asText),
};
