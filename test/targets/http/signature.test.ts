import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { signatureHeaders } from "../../../src/targets/http/sign.js";
import { verifyWebhook, type VerifyOptions } from "../../../src/targets/http/verify.js";

// The example that the Standard Webhooks libraries are tested with.
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const SECONDS = 1_614_265_330;
const BODY = '{"test": 2432232314}';
const SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

const headers = {
  "webhook-id": ID,
  "webhook-timestamp": `${SECONDS}`,
  "webhook-signature": SIGNATURE,
};
const verify = (more: Partial<VerifyOptions> = {}) =>
  verifyWebhook({ secrets: SECRET, headers, body: BODY, now: SECONDS * 1000, ...more });

describe("signing", () => {
  test("makes the specification's example", () => {
    expect(signatureHeaders([SECRET], ID, SECONDS, BODY)).toEqual(headers);
  });

  test("signs with each secret, and not at all without one", () => {
    const both = signatureHeaders([SECRET, "whsec_AAAA"], ID, SECONDS, BODY)["webhook-signature"];
    expect(both?.split(" ")).toEqual([SIGNATURE, expect.stringMatching(/^v1,.{44}$/)]);
    expect(signatureHeaders([], ID, SECONDS, BODY)).not.toHaveProperty("webhook-signature");
  });
});

describe("verifying", () => {
  test("gives the message's id, whatever holds the headers and the body", async () => {
    expect(await verify()).toBe(ID);
    expect(await verify({ headers: new Headers(headers) })).toBe(ID);
    expect(await verify({ body: new TextEncoder().encode(BODY) })).toBe(ID);
    expect(await verify({ secrets: SECRET.slice("whsec_".length) })).toBe(ID);
  });

  test("takes either secret while one is replaced, on either side", async () => {
    expect(await verify({ secrets: ["whsec_bmV3", SECRET] })).toBe(ID);
    const signed = signatureHeaders(["whsec_bmV3", SECRET], ID, SECONDS, BODY);
    expect(await verify({ headers: signed })).toBe(ID);
    const others = { ...headers, "webhook-signature": `v1a,xyz v2,abc ${SIGNATURE}` };
    expect(await verify({ headers: others })).toBe(ID);
  });

  test("takes five minutes of difference, or what it is told", async () => {
    for (const seconds of [-300, 300]) {
      expect(await verify({ now: (SECONDS + seconds) * 1000 })).toBe(ID);
    }
    for (const seconds of [-301, 301]) {
      const late = verify({ now: (SECONDS + seconds) * 1000 });
      await expect(late).rejects.toMatchObject({ reason: "timestamp" });
    }
    expect(await verify({ now: (SECONDS + 900) * 1000, toleranceSeconds: 900 })).toBe(ID);
    await expect(verify({ now: Date.now() })).rejects.toMatchObject({ reason: "timestamp" });
  });

  test.for([
    ["another body", { body: `${BODY} ` }, "signature"],
    ["another secret", { secrets: "whsec_bmV3" }, "signature"],
    ["no secret", { secrets: [] }, "signature"],
    ["another id", { headers: { ...headers, "webhook-id": "msg_other" } }, "signature"],
    [
      "a later time",
      { headers: { ...headers, "webhook-timestamp": `${SECONDS + 1}` } },
      "signature",
    ],
    [
      "a signature cut short",
      { headers: { ...headers, "webhook-signature": "v1,g0hM" } },
      "signature",
    ],
    ["no base64", { headers: { ...headers, "webhook-signature": "v1,%%%" } }, "signature"],
    [
      "another version",
      { headers: { ...headers, "webhook-signature": SIGNATURE.replace("v1", "v2") } },
      "signature",
    ],
    ["no signature", { headers: { ...headers, "webhook-signature": undefined } }, "missing"],
    ["no id", { headers: { ...headers, "webhook-id": "" } }, "missing"],
    ["a time in words", { headers: { ...headers, "webhook-timestamp": "noon" } }, "timestamp"],
  ] as const)("refuses %s", async ([, more, reason]) => {
    const refused = verify(more);
    await expect(refused).rejects.toMatchObject({ name: "WebhookVerificationError", reason });
  });

  test.for(["", "whsec_", "whsec_%%%"])("does not take %j for a secret", async (secrets) => {
    await expect(verify({ secrets })).rejects.toThrow(TypeError);
  });

  test("needs nothing but what browsers have", () => {
    const source = readFileSync(
      new URL("../../../src/targets/http/verify.ts", import.meta.url),
      "utf8",
    );
    const code = source.replace(/\/\*[^]*?\*\//g, "");
    expect(code).not.toMatch(/^import|require\(|\bBuffer\b|process\./m);
  });
});
