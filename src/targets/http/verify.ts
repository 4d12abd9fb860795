/*
 * Imports nothing and uses only Web Crypto: it runs in Node, in browsers and at the edge alike.
 */

/** Headers as fetch and as Node's http have them, or as a plain object with lower-case names. */
export type WebhookHeaders =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

/** A request that was not signed with any of the secrets, or not lately; `reason` says which. */
export class WebhookVerificationError extends Error {
  readonly reason: "missing" | "timestamp" | "signature";

  constructor(reason: WebhookVerificationError["reason"], message: string) {
    super(message);
    this.name = "WebhookVerificationError";
    this.reason = reason;
  }
}

export interface VerifyOptions {
  /** The app's signing secret, or secrets while one is replaced: `whsec_…`. */
  secrets: string | readonly string[];
  headers: WebhookHeaders;
  /** The body as it came, before any parsing. */
  body: string | Uint8Array;
  /** How old, or how far ahead, a request may be; default 300. */
  toleranceSeconds?: number;
  /** Milliseconds since the epoch; default the clock. */
  now?: number;
}

/**
 * Verifies that a request comes from Carillon (or any sender of Standard Webhooks) and is fresh.
 *
 * @returns the id of the message: the same for every attempt of a job
 * @throws WebhookVerificationError
 * @throws TypeError for a secret that is none
 * @example
 * await verifyWebhook({ secrets: process.env.WEBHOOK_SECRET, headers: request.headers, body });
 */
export async function verifyWebhook(options: VerifyOptions): Promise<string> {
  const { headers, body, toleranceSeconds = 300, now = Date.now() } = options;
  const id = header(headers, "webhook-id");
  const timestamp = header(headers, "webhook-timestamp");
  const signatures = header(headers, "webhook-signature").split(" ");
  if (!/^\d{1,12}$/.test(timestamp)) {
    throw new WebhookVerificationError("timestamp", "webhook-timestamp is not in seconds");
  }
  if (Math.abs(now / 1000 - Number(timestamp)) > toleranceSeconds) {
    throw new WebhookVerificationError("timestamp", "the request is too old, or from the future");
  }
  const signed = concat(new TextEncoder().encode(`${id}.${timestamp}.`), body);
  for (const secret of [options.secrets].flat()) {
    const hmac = { name: "HMAC", hash: "SHA-256" };
    const bytes = decode(secret.replace(/^whsec_/, ""));
    // An empty or guessable key would verify anybody's signature.
    if (bytes.length === 0) throw new TypeError("a secret is whsec_ and the key in base64");
    const key = await crypto.subtle.importKey("raw", bytes, hmac, false, ["verify"]);
    for (const signature of signatures) {
      if (!signature.startsWith("v1,")) continue;
      // Web Crypto compares in constant time.
      if (await crypto.subtle.verify("HMAC", key, decode(signature.slice(3)), signed)) return id;
    }
  }
  throw new WebhookVerificationError("signature", "no signature is of any of the secrets");
}

function header(headers: WebhookHeaders, name: string): string {
  const value =
    "get" in headers && typeof headers.get === "function"
      ? headers.get(name)
      : (headers as Readonly<Record<string, string | readonly string[] | undefined>>)[name];
  if (typeof value === "string" && value !== "") return value;
  throw new WebhookVerificationError("missing", `the request has no ${name} header`);
}

/** Base64 to bytes; of what is no base64, none. */
function decode(text: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

function concat(head: Uint8Array, body: string | Uint8Array): Uint8Array<ArrayBuffer> {
  const tail = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}
