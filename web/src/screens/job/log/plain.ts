/* What programs print for terminals, as text for pages. */

const ESCAPE = String.fromCharCode(27);
const CODES = new RegExp(
  `${ESCAPE}(\\[[0-9;?]*[A-Za-z]|\\][^${ESCAPE}]*${ESCAPE}\\\\|[()][A-Z0-9])`,
  "g",
);

/** A text without the codes that colour it. */
export const plain = (text: string): string =>
  text.includes(ESCAPE) ? text.replace(CODES, "") : text;

/** A text in parts: what was searched for, and what is between. */
export function partsOf(text: string, q: string): { text: string; hit: boolean }[] {
  if (q === "") return [{ text, hit: false }];
  const [where, what] = [text.toLowerCase(), q.toLowerCase()];
  // A letter may change its length with its case: then nothing can be marked at the right place.
  if (where.length !== text.length) return [{ text, hit: false }];
  const parts: { text: string; hit: boolean }[] = [];
  let from = 0;
  for (let at = where.indexOf(what); at !== -1; at = where.indexOf(what, from)) {
    if (at > from) parts.push({ text: text.slice(from, at), hit: false });
    parts.push({ text: text.slice(at, at + what.length), hit: true });
    from = at + what.length;
  }
  if (from < text.length || parts.length === 0) parts.push({ text: text.slice(from), hit: false });
  return parts;
}
