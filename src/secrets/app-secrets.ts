import type { Sql } from "../db/connect.js";
import { fetchSecret, type SealedValue } from "../db/secrets.js";
import { ensureSigningKey, fetchSigningKeys } from "../db/signing-keys.js";
import { SecretError } from "../targets/secret-error.js";
import type { Secrets } from "../targets/types.js";
import { type Keyring, KEY_VARIABLE, type Place, UnreadableSecret } from "./keyring.js";
import { Memory } from "./memory.js";
import { newSigningKey } from "./signing-key.js";

/** How long a dispatcher remembers what it has opened: a secret that is set anew counts after that. */
export const REMEMBER_MS = 30_000;

export interface SecretsOptions {
  sql: Sql;
  /** Undefined where the dispatcher has no key: it can open nothing, and signs for nobody new. */
  keyring: Keyring | undefined;
  /** Default {@link REMEMBER_MS}. */
  rememberMs?: number;
}

/** The secrets of all apps, as one dispatcher remembers them. */
export class SecretStore {
  readonly #options: SecretsOptions;
  readonly #apps = new Map<string, AppSecrets>();

  constructor(options: SecretsOptions) {
    this.#options = options;
  }

  /** Those of one app. */
  of(appId: string): AppSecrets {
    const known = this.#apps.get(appId);
    if (known !== undefined) return known;
    const secrets = new AppSecrets(appId, this.#options);
    this.#apps.set(appId, secrets);
    return secrets;
  }
}

/** The secrets of an app, opened. */
export class AppSecrets implements Secrets {
  readonly #appId: string;
  readonly #sql: Sql;
  readonly #keyring: Keyring | undefined;
  readonly #values: Memory<string | undefined>;
  readonly #signing: Memory<readonly string[]>;

  constructor(appId: string, { sql, keyring, rememberMs = REMEMBER_MS }: SecretsOptions) {
    this.#appId = appId;
    this.#sql = sql;
    this.#keyring = keyring;
    this.#values = new Memory(rememberMs);
    this.#signing = new Memory(rememberMs);
  }

  /** @throws SecretError `secret_unreadable` for one that no key at hand opens */
  get(name: string): Promise<string | undefined> {
    // One that is missing is not remembered as such: as soon as it is set it is there.
    return this.#values.recall(name, () => this.#value(name), isKnown);
  }

  /**
   * Makes a key for an app that has none.
   *
   * @throws SecretError `secret_unreadable`, as {@link get}
   */
  signing(): Promise<readonly string[]> {
    return this.#signing.recall("", () => this.#signingKeys(), isKnown);
  }

  async #value(name: string): Promise<string | undefined> {
    const sealed = await fetchSecret(this.#sql, this.#appId, name);
    if (sealed === undefined) return undefined;
    return this.#open("secret", name, sealed);
  }

  async #signingKeys(): Promise<readonly string[]> {
    let keys = await fetchSigningKeys(this.#sql, this.#appId);
    if (keys.length === 0 && this.#keyring !== undefined) {
      const { sealed } = newSigningKey(this.#keyring, this.#appId);
      await ensureSigningKey(this.#sql, this.#appId, sealed);
      // Another dispatcher may have been first.
      keys = await fetchSigningKeys(this.#sql, this.#appId);
    }
    return keys.map((key) => this.#open("signing", key.id, key));
  }

  #open(kind: Place["kind"], name: string, sealed: SealedValue): string {
    const what = `the ${kind === "secret" ? "secret" : "signing key"} ${name} cannot be read`;
    if (this.#keyring === undefined) {
      throw new SecretError("secret_unreadable", `${what}: the dispatcher has no ${KEY_VARIABLE}`);
    }
    try {
      return this.#keyring.open({ kind, appId: this.#appId, name }, sealed);
    } catch (error) {
      if (!(error instanceof UnreadableSecret)) throw error;
      throw new SecretError("secret_unreadable", `${what}: ${error.message}`);
    }
  }
}

const isKnown = (value: unknown) => value !== undefined;
