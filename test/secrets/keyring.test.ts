import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  Keyring,
  type Place,
  readKeyring,
  requireKeyring,
  UnreadableSecret,
} from "../../src/secrets/keyring.js";

const HERE: Place = { kind: "secret", appId: "crm", name: "TOKEN" };
const fresh = () => new Keyring(randomBytes(32));

describe("what is sealed", () => {
  const ring = fresh();

  test("opens as it was, whatever it was", () => {
    const text = fc.string({ unit: "binary", minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(text, (value) => {
        expect(ring.open(HERE, ring.seal(HERE, value))).toBe(value);
      }),
    );
    const large = "ü".repeat(32_768);
    const sealed = ring.seal(HERE, large);
    expect(sealed.ciphertext.length).toBe(65_552);
    expect(ring.open(HERE, sealed)).toBe(large);
  });

  test("shows neither what it is nor whether it is the same as another", () => {
    const [a, b] = [ring.seal(HERE, "swordfish"), ring.seal(HERE, "swordfish")];
    expect(Buffer.from(a.ciphertext).includes("swordfish")).toBe(false);
    expect(a.nonce).not.toEqual(b.nonce);
    expect(a.ciphertext).not.toEqual(b.ciphertext);
  });

  test.for<[string, Place]>([
    ["another app", { ...HERE, appId: "billing" }],
    ["another name", { ...HERE, name: "TOKEN_2" }],
    ["another kind", { ...HERE, kind: "signing" }],
  ])("does not open for %s", ([, place]) => {
    expect(() => ring.open(place, ring.seal(HERE, "x"))).toThrow(UnreadableSecret);
  });

  test("does not open when any bit of it was changed, or it was cut", () => {
    const sealed = ring.seal(HERE, "swordfish");
    for (const part of ["nonce", "ciphertext"] as const) {
      for (let bit = 0; bit < sealed[part].length * 8; bit += 1) {
        const bytes = Uint8Array.from(sealed[part]);
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(() => ring.open(HERE, { ...sealed, [part]: bytes })).toThrow(UnreadableSecret);
      }
    }
    for (let length = 0; length < sealed.ciphertext.length; length += 1) {
      const ciphertext = sealed.ciphertext.subarray(0, length);
      expect(() => ring.open(HERE, { ...sealed, ciphertext })).toThrow(UnreadableSecret);
    }
  });
});

describe("replacing the key", () => {
  const [old, young] = [randomBytes(32), randomBytes(32)];

  test("what the previous key sealed still opens; what is sealed from then on needs the new one", () => {
    const before = new Keyring(old);
    const during = new Keyring(young, old);
    const after = new Keyring(young);
    const sealed = before.seal(HERE, "swordfish");
    expect(during.open(HERE, sealed)).toBe("swordfish");
    const again = during.seal(HERE, "swordfish");
    expect(again.keyId).toBe(after.keyId);
    expect(again.keyId).not.toBe(sealed.keyId);
    expect(after.open(HERE, again)).toBe("swordfish");
    expect(() => before.open(HERE, again)).toThrow(UnreadableSecret);
    expect(() => after.open(HERE, sealed)).toThrow(
      `it is sealed by the key ${sealed.keyId}, which is neither CARILLON_SECRETS_KEY nor CARILLON_SECRETS_KEY_PREVIOUS`,
    );
  });

  test("a key's id, and what the keyring shows of itself, give no key away", () => {
    const ring = new Keyring(young, old);
    expect(ring.keyId).toMatch(/^[0-9a-f]{16}$/);
    const shown = inspect(ring, { depth: 9, showHidden: true }) + JSON.stringify(ring);
    for (const key of [old, young]) {
      for (const encoding of ["hex", "base64", "latin1"] as const) {
        expect(shown).not.toContain(key.toString(encoding));
      }
      expect(key.toString("hex")).not.toContain(ring.keyId);
    }
  });
});

test("a fingerprint is the same for the same value and key, and for nothing else", () => {
  const [ring, other] = [fresh(), fresh()];
  const print = ring.fingerprint({ value: "a" });
  expect(ring.fingerprint({ value: "a" })).toBe(print);
  expect(ring.fingerprint({ value: "b" })).not.toBe(print);
  expect(other.fingerprint({ value: "a" })).not.toBe(print);
  expect(ring.fingerprint(undefined)).not.toBe(ring.fingerprint(null));
});

describe("the environment", () => {
  const key = randomBytes(32).toString("base64");
  const other = randomBytes(32).toString("base64");

  test("names a key, and one before it", () => {
    const ring = readKeyring({ CARILLON_SECRETS_KEY: key });
    const next = readKeyring({ CARILLON_SECRETS_KEY: other, CARILLON_SECRETS_KEY_PREVIOUS: key });
    const sealed = requireKeyring(ring).seal(HERE, "x");
    expect(requireKeyring(next).open(HERE, sealed)).toBe("x");
    // As a file gives it, and without padding.
    const same = readKeyring({ CARILLON_SECRETS_KEY: `${key.replace("=", "")}\n` });
    expect(same?.keyId).toBe(ring?.keyId);
  });

  test("names none, and then secrets are off, which says what is missing", () => {
    for (const env of [{}, { CARILLON_SECRETS_KEY: "" }]) {
      expect(readKeyring(env)).toBeUndefined();
      expect(() => requireKeyring(readKeyring(env))).toThrow(
        expect.objectContaining({
          code: "secrets_off",
          status: 503,
          message: "secrets are off: CARILLON_SECRETS_KEY is not set",
        }),
      );
    }
  });

  test.for([
    ["tooshort", "6 bytes"],
    [randomBytes(31).toString("base64"), "31 bytes"],
    [randomBytes(33).toString("base64"), "33 bytes"],
    [randomBytes(32).toString("hex"), "48 bytes"],
    ["not base64, for all its length and more", "something else"],
    [Buffer.alloc(32, 0xff).toString("base64url"), "something else"],
  ])("is refused with %s", ([text = "", got = ""]) => {
    for (const variable of ["CARILLON_SECRETS_KEY", "CARILLON_SECRETS_KEY_PREVIOUS"]) {
      const problem = `${variable} must be 32 bytes in base64, and is ${got}`;
      let refused: unknown;
      try {
        readKeyring({ CARILLON_SECRETS_KEY: key, [variable]: text });
      } catch (error) {
        refused = error;
      }
      expect(refused).toMatchObject({ code: "invalid_config", message: problem });
      expect(inspect(refused)).not.toContain(text);
    }
  });

  test("cannot have a previous key alone", () => {
    expect(() => readKeyring({ CARILLON_SECRETS_KEY_PREVIOUS: key })).toThrow(
      expect.objectContaining({ code: "invalid_config" }),
    );
  });
});
