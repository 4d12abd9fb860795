import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";
import { MAX_BODY_BYTES } from "./body.js";
import type { Connection } from "./client.js";
import { exchangeFailure, HttpFailure } from "./failure.js";

/**
 * Bytes of a body that are read at most. What is more than the kept part is read as far as this so
 * that the server can end, and the connection be used again; then the connection is cut.
 */
export const MAX_READ_BYTES = 1_048_576;

export interface ExchangeLimits {
  /** Of `performance.now()`: when the call is given up. */
  readonly deadline: number;
  /** Calls back once the call is no longer wanted; at once where it is not. */
  readonly whenAborted: (callback: () => void) => void;
}

/** Milliseconds; null for what did not happen, or had happened before on a kept connection. */
export interface ExchangeTiming {
  readonly dns: number | null;
  readonly connect: number | null;
  readonly tls: number | null;
  /** From the request sent to the answer's first byte. */
  readonly firstByte: number | null;
}

/** How a call went: an answer, a failure, or an answer that broke off. */
export interface Exchanged {
  readonly status: number | null;
  readonly headers: IncomingHttpHeaders;
  /** The body as it came, as far as it is kept. */
  readonly raw: Buffer;
  /** Bytes of the body that came. */
  readonly received: number;
  readonly failure: HttpFailure | undefined;
  readonly timing: ExchangeTiming;
}

/** One request and its answer. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly done: Promise<Exchanged>;
  readonly #began = performance.now();
  readonly #timer: NodeJS.Timeout;
  #resolve!: (exchanged: Exchanged) => void;
  #settled = false;
  #connection: Connection | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #sentAt: number | undefined;
  #firstByte: number | null = null;
  #status: number | null = null;
  #headers: IncomingHttpHeaders = {};
  readonly #chunks: Buffer[] = [];
  #received = 0;

  constructor({ deadline, whenAborted }: ExchangeLimits) {
    this.done = new Promise((resolve) => (this.#resolve = resolve));
    this.#timer = setTimeout(
      () => this.#giveUp(new HttpFailure("timeout", this.#whereItHangs())),
      Math.max(0, deadline - this.#began),
    );
    whenAborted(() => this.#giveUp(new HttpFailure("aborted", "the call was aborted")));
  }

  get settled(): boolean {
    return this.#settled;
  }

  onConnection(connection: Connection): void {
    this.#connection = connection;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#sentAt = performance.now();
    if (this.#settled) controller.abort(new Error("given up before it was sent"));
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (this.#settled || status < 200) return;
    this.#firstByte = performance.now() - (this.#sentAt ?? this.#began);
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled) return;
    const kept = Math.min(this.#received, MAX_BODY_BYTES);
    if (kept < MAX_BODY_BYTES) this.#chunks.push(chunk.subarray(0, MAX_BODY_BYTES - kept));
    this.#received += chunk.length;
    if (this.#received <= MAX_READ_BYTES) return;
    this.#settle(undefined);
    controller.abort(new Error("the body is longer than anybody will read"));
  }

  onResponseEnd(): void {
    const settle = () => this.#settle(undefined);
    // Later, so that the connection is free for who calls next.
    setImmediate(() => setImmediate(settle));
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.#settle(exchangeFailure(error));
  }

  #giveUp(failure: HttpFailure): void {
    if (this.#settled) return;
    this.#settle(failure);
    this.#controller?.abort(failure);
    if (this.#controller === undefined) this.#connection?.abandon(failure);
  }

  #whereItHangs(): string {
    if (this.#status !== null) return "the answer's body did not end in time";
    if (this.#sentAt !== undefined) return "no answer came in time";
    return "no connection could be made in time";
  }

  #settle(failure: HttpFailure | undefined): void {
    if (this.#settled) return;
    this.#settled = true;
    clearTimeout(this.#timer);
    const [whole] = this.#chunks;
    this.#resolve({
      status: this.#status,
      headers: this.#headers,
      // Mostly it came in one piece, which need not be copied.
      raw: whole !== undefined && this.#chunks.length === 1 ? whole : Buffer.concat(this.#chunks),
      received: this.#received,
      failure,
      timing: this.#timing(),
    });
  }

  #timing(): ExchangeTiming {
    const made = this.#connection?.timing;
    const own = made !== undefined && made.began >= this.#began ? made : undefined;
    return {
      dns: own?.dns ?? null,
      connect: own?.tcp ?? null,
      tls: own?.tls ?? null,
      firstByte: this.#firstByte,
    };
  }
}
