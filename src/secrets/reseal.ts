import type { Sql } from "../db/connect.js";
import { listStaleSecrets, resealSecret, type StaleSecret } from "../db/secrets.js";
import { type Keyring, UnreadableSecret } from "./keyring.js";

const BATCH = 100;

/** What came of sealing everything anew. */
export interface Resealed {
  resealed: number;
  /** What no key at hand opens, and so stays as it is. */
  unreadable: { kind: StaleSecret["kind"]; appId: string; name: string; why: string }[];
}

/**
 * Seals by the current key what is sealed by another: after it the previous key is no longer needed,
 * unless something was unreadable. May be interrupted and repeated; a secret that is set meanwhile
 * stays as it was set.
 */
export async function resealAll(sql: Sql, keyring: Keyring): Promise<Resealed> {
  const result: Resealed = { resealed: 0, unreadable: [] };
  let last: StaleSecret | undefined;
  for (;;) {
    const stale = await listStaleSecrets(sql, keyring.keyId, last, BATCH);
    for (const one of stale) await resealOne(sql, keyring, one, result);
    last = stale.at(-1);
    if (stale.length < BATCH) return result;
  }
}

async function resealOne(sql: Sql, keyring: Keyring, stale: StaleSecret, result: Resealed) {
  const { kind, appId, name } = stale;
  const place = { kind, appId, name };
  let text: string;
  try {
    text = keyring.open(place, { ...stale, keyId: stale.staleKeyId });
  } catch (error) {
    if (!(error instanceof UnreadableSecret)) throw error;
    result.unreadable.push({ ...place, why: error.message });
    return;
  }
  if (await resealSecret(sql, stale, keyring.seal(place, text))) result.resealed += 1;
}
