/** How a client reaches the API. */
export interface ClientOptions {
  /** Where the API answers, such as https://carillon.example.com; in a page of its own site, "". */
  url: string;
  /** An API key. Without one, requests carry what `headers` and `credentials` say. */
  key?: string | undefined;
  /** Default: the global fetch. */
  fetch?: typeof globalThis.fetch | undefined;
  /** Sent with every request. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Whether a browser sends its cookies; default: to the page's own site. */
  credentials?: "omit" | "same-origin" | "include" | undefined;
  /** Milliseconds for each attempt, and for the first byte of a stream; default 30,000. */
  timeoutMs?: number | undefined;
  /** Further attempts where that is safe; default 3. A stream tries 10 times to come back. */
  maxRetries?: number | undefined;
  /** Milliseconds a Retry-After may ask for; when it asks for more, the error is thrown. Default 60,000. */
  maxRetryAfterMs?: number | undefined;
}

/** What one call may have different. */
export interface RequestOptions {
  /** Aborts the request, its retries, or its stream; what is thrown is the signal's reason. */
  signal?: AbortSignal | undefined;
  timeoutMs?: number | undefined;
  maxRetries?: number | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
  /** The same request with the same key is done once. Default: a new key for every call. */
  idempotencyKey?: string | undefined;
  /** Why: kept in the audit log with what the call changes. */
  reason?: string | undefined;
  /** Change only this version (`cron.version`, or an ETag), or fail with `version_mismatch`. */
  ifMatch?: number | string | undefined;
}

/** Options with every default in place. */
export interface Settings {
  readonly base: string;
  readonly fetch: typeof globalThis.fetch;
  readonly headers: Readonly<Record<string, string>>;
  readonly credentials: ClientOptions["credentials"];
  readonly timeoutMs: number;
  readonly maxRetries: number;
  readonly streamRetries: number;
  readonly maxRetryAfterMs: number;
}

/** @throws TypeError for a url that is none */
export function resolveSettings(options: ClientOptions): Settings {
  const { url, key, maxRetries, timeoutMs = 30_000, maxRetryAfterMs = 60_000 } = options;
  if (!/^(https?:\/\/[^/]|\/|$)/.test(url)) {
    throw new TypeError(`url must begin with http:// or https://, got ${JSON.stringify(url)}`);
  }
  return Object.freeze({
    base: url.replace(/\/+$/, ""),
    // A browser's fetch must be called on its window.
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...options.headers,
    },
    credentials: options.credentials,
    timeoutMs,
    maxRetries: maxRetries ?? 3,
    streamRetries: maxRetries ?? 10,
    maxRetryAfterMs,
  });
}
