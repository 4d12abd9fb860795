import { SecretError } from "../secret-error.js";
import type { Secrets } from "../types.js";

const REFERENCE = /\{\{\s*secret\.([A-Z][A-Z0-9_]{0,63})\s*\}\}/g;

/** The secrets a text refers to; undefined when it has something that only looks like a reference. */
export function secretNames(text: string): string[] | undefined {
  if (!text.includes("{{")) return [];
  const names = [...text.matchAll(REFERENCE)].map(([, name = ""]) => name);
  return /\{\{\s*secret/.test(text.replace(REFERENCE, "")) ? undefined : names;
}

/**
 * The text with each `{{secret.NAME}}` replaced; `names` are those it refers to.
 *
 * @throws SecretError when the app has no such secret, or its value cannot be in a header
 */
export async function withSecrets(
  text: string,
  names: readonly string[],
  secrets: Secrets,
): Promise<string> {
  const values = new Map<string, string>();
  for (const name of names) {
    const value = values.get(name) ?? (await secrets.get(name));
    if (value === undefined)
      throw new SecretError("secret_missing", `the app has no secret named ${name}`);
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw new SecretError("secret", `the secret ${name} has characters that no header can carry`);
    }
    values.set(name, value);
  }
  return text.replace(REFERENCE, (_reference, name: string) => values.get(name) ?? "");
}
