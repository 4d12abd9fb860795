import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import { CarillonError } from "../errors.js";

/** What is sealed, as the database keeps it. */
export interface Sealed {
  /** Which key it is sealed by: a digest of that key. */
  readonly keyId: string;
  readonly nonce: Uint8Array;
  /** With the tag at its end. */
  readonly ciphertext: Uint8Array;
}

/** Where something sealed belongs. Elsewhere it does not open. */
export interface Place {
  readonly kind: "secret" | "signing";
  readonly appId: string;
  readonly name: string;
}

/** Something sealed that cannot be opened. The message says why, and nothing of what is in it. */
export class UnreadableSecret extends Error {}

const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;

export const KEY_VARIABLE = "CARILLON_SECRETS_KEY";
export const PREVIOUS_KEY_VARIABLE = "CARILLON_SECRETS_KEY_PREVIOUS";
const HOW_TO_MAKE = `${KEY_VARIABLE}="$(openssl rand -base64 32)"`;

/** One key, in what is derived of it (RFC 5869): no part of it serves two purposes. */
interface Key {
  readonly id: string;
  readonly cipher: KeyObject;
  readonly mac: KeyObject;
}

/** The key that secrets are sealed by, and the one before it, which opens what is not sealed anew yet. */
export class Keyring {
  readonly #current: Key;
  readonly #previous: Key | undefined;

  /** @param current 32 bytes, as `previous` */
  constructor(current: Uint8Array, previous?: Uint8Array) {
    this.#current = derive(current);
    this.#previous = previous === undefined ? undefined : derive(previous);
  }

  /** The id of the key that seals. */
  get keyId(): string {
    return this.#current.id;
  }

  seal(place: Place, text: string): Sealed {
    const { id, cipher: key } = this.#current;
    // Random nonces are safe for 2^32 messages of one key (NIST SP 800-38D, 8.3).
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(boundTo(place));
    const ciphertext = Buffer.concat([
      cipher.update(text, "utf8"),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
    return { keyId: id, nonce, ciphertext };
  }

  /** @throws UnreadableSecret */
  open(place: Place, { keyId, nonce, ciphertext }: Sealed): string {
    const key = [this.#current, this.#previous].find((one) => one?.id === keyId);
    if (key === undefined) {
      throw new UnreadableSecret(
        `it is sealed by the key ${keyId}, which is neither ${KEY_VARIABLE} nor ${PREVIOUS_KEY_VARIABLE}`,
      );
    }
    try {
      const decipher = createDecipheriv(CIPHER, key.cipher, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(boundTo(place));
      decipher.setAuthTag(ciphertext.subarray(-TAG_BYTES));
      const text = decipher.update(ciphertext.subarray(0, -TAG_BYTES));
      return Buffer.concat([text, decipher.final()]).toString("utf8");
    } catch (error) {
      throw new UnreadableSecret("it was changed, or belongs to another app or name", {
        cause: error,
      });
    }
  }

  /** By which equal values are known for equal, and nothing else is known of them without the key. */
  fingerprint(value: unknown): string {
    return createHmac("sha256", this.#current.mac)
      .update(JSON.stringify(value) ?? "")
      .digest("base64url");
  }
}

/**
 * The keys that the environment names; undefined where it names none.
 *
 * @throws CarillonError `invalid_config`
 */
export function readKeyring(env: NodeJS.ProcessEnv = process.env): Keyring | undefined {
  const current = readKey(env, KEY_VARIABLE);
  const previous = readKey(env, PREVIOUS_KEY_VARIABLE);
  if (current !== undefined) return new Keyring(current, previous);
  if (previous === undefined) return undefined;
  throw invalid(PREVIOUS_KEY_VARIABLE, `is set, but not ${KEY_VARIABLE}`);
}

/** @throws CarillonError `secrets_off`, saying which variable is missing, where there is no keyring */
export function requireKeyring(keyring: Keyring | undefined): Keyring {
  if (keyring !== undefined) return keyring;
  throw new CarillonError("secrets_off", `secrets are off: ${KEY_VARIABLE} is not set`, {
    hint: `set it where the server runs: ${HOW_TO_MAKE}`,
  });
}

function readKey(env: NodeJS.ProcessEnv, variable: string): Uint8Array | undefined {
  const text = env[variable]?.trim() ?? "";
  if (text === "") return undefined;
  const bytes = Buffer.from(text, "base64");
  const wellFormed = /^[A-Za-z0-9+/]+={0,2}$/.test(text);
  if (wellFormed && bytes.length === KEY_BYTES) return bytes;
  const got = wellFormed ? `${bytes.length} bytes` : "something else";
  throw invalid(variable, `must be ${KEY_BYTES} bytes in base64, and is ${got}`);
}

const invalid = (variable: string, problem: string) =>
  new CarillonError("invalid_config", `${variable} ${problem}`, {
    fields: [{ field: variable, message: problem }],
    hint: `for example ${HOW_TO_MAKE}`,
  });

function derive(key: Uint8Array): Key {
  if (key.length !== KEY_BYTES) throw new Error(`a key has ${KEY_BYTES} bytes`);
  const part = (purpose: string, bytes: number) =>
    Buffer.from(hkdfSync("sha256", key, "", `carillon secrets 1 ${purpose}`, bytes));
  return {
    id: part("id", 8).toString("hex"),
    cipher: createSecretKey(part("seal", KEY_BYTES)),
    mac: createSecretKey(part("fingerprint", KEY_BYTES)),
  };
}

/** Neither kinds nor app ids have a colon. */
const boundTo = ({ kind, appId, name }: Place) => Buffer.from(`${kind}:${appId}:${name}`, "utf8");
