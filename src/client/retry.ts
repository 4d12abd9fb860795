import { CarillonApiError, CarillonConnectionError } from "./errors.js";

/** Statuses of what may go well the next time. */
const PASSING = new Set([408, 425, 429, 502, 503, 504]);
/** Unavailable until a person does something. */
const LASTING = new Set(["schema_missing", "pg_cron_missing", "pgmq_missing"]);

/** Whether trying again may help. */
export function mayPass(error: unknown): boolean {
  if (error instanceof CarillonConnectionError) return true;
  return error instanceof CarillonApiError && PASSING.has(error.status) && !LASTING.has(error.code);
}

/** Milliseconds before attempt `n` (from 1): grows from 0.25 s to 8 s, less up to half by chance. */
export function backoff(n: number): number {
  return Math.min(8000, 250 * 2 ** (n - 1)) * (1 - Math.random() / 2);
}

/** Milliseconds that a Retry-After header asks for: seconds, or a date. */
export function readRetryAfter(header: string | null, now = Date.now()): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Resolves after so long; rejects with the signal's reason when that is aborted. */
export function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const done = () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    };
    const timer = setTimeout(done, ms);
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** For Idempotency-Key. crypto.randomUUID is not there in pages over plain HTTP. */
export function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
