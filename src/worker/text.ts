/** What jsonb cannot hold: U+0000, and halves of a surrogate pair. */
const UNSTORABLE = /\u0000|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** The text, with what PostgreSQL cannot store replaced by U+FFFD. */
export const storableText = (text: string): string => text.replace(UNSTORABLE, "\ufffd");

/** Storable text of at most `max` characters; a cut is stated. */
export function boundedText(text: string, max: number): string {
  if (text.length <= max) return storableText(text);
  return storableText(`${text.slice(0, max)}… (${text.length - max} more characters)`);
}
