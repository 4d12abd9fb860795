import { completed, failed, MOST_RETRY_AFTER_MS } from "../outcome.js";
import { SecretError } from "../secret-error.js";
import type { Failed, Outcome, Target, TargetContext, TargetJob } from "../types.js";
import { type AllowList, bareHost } from "./allow.js";
import { recordBody } from "./body.js";
import { HttpClient, type HttpClientOptions } from "./client.js";
import type { Exchanged, ExchangeLimits } from "./exchange.js";
import { HttpFailure } from "./failure.js";
import { type HttpRecord, httpRecord } from "./record.js";
import { redirected } from "./redirect.js";
import { type PreparedRequest, prepareRequest, wireRequest } from "./request.js";
import { retryAfterMs } from "./retry-after.js";
import { HttpSpec } from "./schema.js";
import { isExpected } from "./status.js";
import { portOf } from "./url.js";

export interface HttpTargetOptions extends HttpClientOptions {
  /** Carillon's version, for the User-Agent. */
  version: string;
}

/** One answer on the way to the last: the status, and the URL that gave it. */
export interface Hop {
  readonly status: number;
  readonly url: string;
}

/** Where a call ended, after the redirects it followed. */
interface Journey {
  readonly request: PreparedRequest;
  readonly hops: readonly Hop[];
  readonly exchanged: Exchanged;
}

/** Failures that the same call would meet again. */
const FOR_GOOD = new Set(["refused_address", "secret", "secret_missing"]);
/** Failures that are the endpoint's. */
const BROKEN = new Set(["dns", "connect", "tls", "timeout", "reset", "protocol"]);

/** Calls HTTP endpoints. */
export class HttpTarget implements Target<HttpSpec> {
  readonly type = "http";
  readonly schema = HttpSpec;
  readonly #client: HttpClient;
  readonly #allow: AllowList;
  readonly #userAgent: string;
  /** Asked for at every job, and the same for all that share a spec. */
  readonly #origins = new WeakMap<object, string>();

  constructor(options: HttpTargetOptions) {
    this.#client = new HttpClient(options);
    this.#allow = options.allow;
    this.#userAgent = `carillon/${options.version}`;
  }

  breakerKey(spec: Pick<HttpSpec, "url">): string {
    let origin = this.#origins.get(spec);
    if (origin === undefined) this.#origins.set(spec, (origin = new URL(spec.url).origin));
    return origin;
  }

  async run(spec: HttpSpec, job: TargetJob, context: TargetContext): Promise<Outcome> {
    try {
      const now = Date.now();
      const request = await prepareRequest(spec, job, context.secrets, this.#userAgent, now);
      return await this.#call(spec, request, context);
    } catch (error) {
      if (error instanceof SecretError) {
        return failure(new HttpFailure(error.class, error.message));
      }
      return failure(
        error instanceof HttpFailure
          ? error
          : new HttpFailure("internal", `the call failed: ${String(error)}`),
      );
    }
  }

  async #call(
    spec: HttpSpec,
    request: PreparedRequest,
    { whenAborted }: Pick<TargetContext, "whenAborted">,
  ): Promise<Outcome> {
    const began = performance.now();
    const deadline = began + (spec.timeout ?? 10) * 1000;
    const journey = await this.#travel(spec, request, { deadline, whenAborted });
    const { status, headers, raw, received, failure: broken } = journey.exchanged;
    const body = await recordBody(raw, received > raw.length, headers);
    const record = httpRecord(request, journey, body, performance.now() - began);
    if (broken !== undefined) return failure(broken, record);
    if (status !== null && isExpected(spec.expectedStatus ?? "2xx", status)) {
      return completed(record);
    }
    return unexpected(status ?? 0, headers["retry-after"], record);
  }

  async #travel(spec: HttpSpec, first: PreparedRequest, limits: ExchangeLimits): Promise<Journey> {
    const hops: Hop[] = [];
    for (let request = first; ;) {
      const refusal = this.#refusal(request.url);
      const exchanged =
        refusal === undefined
          ? await this.#client.send(wireRequest(request), limits)
          : notSent(refusal);
      const { status, headers } = exchanged;
      const end = { request, hops, exchanged };
      if (exchanged.failure !== undefined || status === null || (spec.redirects ?? 0) === 0) {
        return end;
      }
      try {
        const next = redirected(request, status, headers.location);
        if (next === undefined) return end;
        if (hops.length === spec.redirects) {
          throw new HttpFailure("redirect", `redirected more than ${hops.length} times`);
        }
        hops.push({ status, url: request.url.href });
        request = next;
      } catch (error) {
        if (!(error instanceof HttpFailure)) throw error;
        return { ...end, exchanged: { ...exchanged, failure: error } };
      }
    }
  }

  #refusal(url: URL): HttpFailure | undefined {
    const port = portOf(url);
    return this.#allow.allowsPort(bareHost(url.hostname), port)
      ? undefined
      : new HttpFailure("refused_address", `port ${port} is for other protocols than HTTP`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }
}

const notSent = (failure: HttpFailure): Exchanged => ({
  status: null,
  headers: {},
  raw: Buffer.alloc(0),
  received: 0,
  failure,
  timing: { dns: null, connect: null, tls: null, firstByte: null },
});

const failure = ({ class: kind, message }: HttpFailure, result?: HttpRecord): Failed =>
  failed(
    { class: kind, message },
    {
      ...(result === undefined ? {} : { result }),
      retryable: !FOR_GOOD.has(kind),
      broken: BROKEN.has(kind),
    },
  );

function unexpected(status: number, retryAfter: unknown, result: HttpRecord): Failed {
  const error = { class: "status", message: `answered ${status}` };
  // 410 says that the endpoint is gone and wants no more calls (Standard Webhooks).
  if (status === 410) return failed(error, { result, retryable: false });
  const wait = status === 429 || status === 503 ? retryAfterMs(retryAfter, Date.now()) : undefined;
  const broken = status === 429 || status >= 500;
  if (wait === undefined) return failed(error, { result, broken });
  return failed(error, { result, broken, retryAfterMs: Math.min(wait, MOST_RETRY_AFTER_MS) });
}
