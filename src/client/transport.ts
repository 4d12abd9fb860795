import { Attempt } from "./attempt.js";
import { toQuery } from "./address.js";
import { CarillonApiError, type ProblemDocument } from "./errors.js";
import { backoff, mayPass, newIdempotencyKey, readRetryAfter, sleep } from "./retry.js";
import type { RequestOptions, Settings } from "./settings.js";

/** A request as it is to be sent. */
export interface Outgoing {
  method: string;
  path: string;
  query?: object | undefined;
  body?: unknown;
  accept: string;
  headers?: Record<string, string>;
  options: RequestOptions;
}

/** Sends requests, again where that is safe, and turns refusals into errors. */
export class Transport {
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /**
   * Sends a request and reads its answer, as often as is safe and may help: what has an
   * Idempotency-Key is done once by the server however often it arrives.
   *
   * @param read takes what it needs of the answer before the attempt ends
   */
  async send<T>(
    outgoing: Outgoing,
    read: (response: Response) => Promise<T>,
    maxRetries = outgoing.options.maxRetries ?? this.#settings.maxRetries,
  ): Promise<T> {
    const init = this.#initOf(outgoing);
    for (let n = 1; ; n++) {
      try {
        return await this.#once(outgoing, init, read);
      } catch (error) {
        const wait = this.#waitAfter(error, n, maxRetries);
        if (wait === undefined) throw error;
        await sleep(wait, outgoing.options.signal);
      }
    }
  }

  /** Opens a stream: the attempt is the caller's to end. */
  async open(outgoing: Outgoing): Promise<{ response: Response; attempt: Attempt }> {
    const init = this.#initOf(outgoing);
    const maxRetries = outgoing.options.maxRetries ?? this.#settings.streamRetries;
    for (let n = 1; ; n++) {
      const attempt = this.#begin(outgoing);
      try {
        const response = await this.#fetch(outgoing, init, attempt);
        attempt.untimed();
        return { response, attempt };
      } catch (error) {
        attempt.end();
        const wait = this.#waitAfter(error, n, maxRetries);
        if (wait === undefined) throw error;
        await sleep(wait, outgoing.options.signal);
      }
    }
  }

  async #once<T>(
    outgoing: Outgoing,
    init: RequestInit,
    read: (response: Response) => Promise<T>,
  ): Promise<T> {
    const attempt = this.#begin(outgoing);
    try {
      const response = await this.#fetch(outgoing, init, attempt);
      try {
        return await read(response);
      } catch (error) {
        if (error instanceof CarillonApiError) throw error;
        throw attempt.explain(error);
      }
    } finally {
      attempt.end();
    }
  }

  #begin({ options }: Outgoing): Attempt {
    return new Attempt(options.signal, options.timeoutMs ?? this.#settings.timeoutMs);
  }

  async #fetch({ path, query }: Outgoing, init: RequestInit, attempt: Attempt): Promise<Response> {
    const url = this.#settings.base + path + toQuery(query);
    let response: Response;
    try {
      response = await this.#settings.fetch(url, { ...init, signal: attempt.signal });
      if (response.ok) return response;
      throw await refusal(response);
    } catch (error) {
      if (error instanceof CarillonApiError) throw error;
      throw attempt.explain(error);
    }
  }

  #initOf({ method, body, accept, headers, options }: Outgoing): RequestInit {
    const { credentials } = this.#settings;
    const { ifMatch, reason, idempotencyKey = newIdempotencyKey() } = options;
    return {
      method,
      headers: {
        accept,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(method === "GET" ? {} : { "idempotency-key": idempotencyKey }),
        ...(ifMatch === undefined ? {} : { "if-match": tagOf(ifMatch) }),
        ...(reason === undefined ? {} : { "x-carillon-reason": encodeURIComponent(reason) }),
        ...this.#settings.headers,
        ...headers,
        ...options.headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(credentials === undefined ? {} : { credentials }),
      // Followed, a POST would arrive elsewhere as a GET.
      redirect: "manual",
    };
  }

  /** Milliseconds until the next attempt; undefined for none. */
  #waitAfter(error: unknown, n: number, maxRetries: number): number | undefined {
    if (n > maxRetries || !mayPass(error)) return undefined;
    const asked = error instanceof CarillonApiError ? (error.retryAfterMs ?? 0) : 0;
    return asked > this.#settings.maxRetryAfterMs ? undefined : Math.max(asked, backoff(n));
  }
}

const tagOf = (version: number | string) =>
  typeof version === "number" ? `"${version}"` : version;

/** The error for an answer that is none. */
async function refusal(response: Response): Promise<CarillonApiError> {
  const { status, headers } = response;
  const text = await response.text();
  const more = {
    requestId: headers.get("x-request-id") ?? undefined,
    retryAfterMs: readRetryAfter(headers.get("retry-after")),
  };
  return new CarillonApiError(status, problemIn(text) ?? strange(response), more);
}

function problemIn(text: string): ProblemDocument | undefined {
  try {
    const value = JSON.parse(text) as ProblemDocument | null;
    return typeof value?.code === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Of a proxy, a wrong address, or a redirect. */
function strange({ status, headers, type }: Response): ProblemDocument {
  const location = headers.get("location");
  const what = type === "opaqueredirect" ? "a redirect" : String(status);
  const to = location === null ? "" : ` to ${location}`;
  return { detail: `the answer, ${what}${to}, is not one of Carillon's: is the url right?` };
}

/** The error for an answer that is not what Carillon gives. */
export const notOurs = (response: Response) =>
  new CarillonApiError(response.status, strange(response));

/** Reads an answer of JSON. */
export async function readJson(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw notOurs(response);
  }
}
