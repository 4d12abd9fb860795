import { lookup } from "node:dns";
import type { Socket } from "node:net";
import { Agent, Client, type Dispatcher, Pool } from "undici";
import type { AllowList } from "./allow.js";
import {
  type ConnectorDeps,
  type ConnectTiming,
  openConnection,
  type Resolve,
} from "./connector.js";
import { Exchange, type ExchangeLimits, type Exchanged } from "./exchange.js";

export interface HttpClientOptions {
  allow: AllowList;
  /** Default `dns.lookup`: what every other program on this machine resolves. */
  resolve?: Resolve;
  /** Certificates (PEM) to trust instead of the usual ones. */
  ca?: string;
}

/** One request, as it goes on the wire. */
export interface HttpRequest {
  readonly url: URL;
  readonly method: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: string | null;
}

/** undici's connections know nothing of who uses them; the exchange rides in the options. */
type ExchangeOptions = Dispatcher.DispatchOptions & { exchange: Exchange };

/** A connection that an exchange has to itself while it lasts. */
export class Connection extends Client {
  readonly #progress: { timing?: ConnectTiming; connecting?: Socket | undefined };

  constructor(origin: URL, options: Pool.Options, deps: ConnectorDeps) {
    const progress: { timing?: ConnectTiming; connecting?: Socket | undefined } = {};
    super(origin, {
      ...options,
      connect: (target, callback) => {
        const timing = { began: performance.now(), dns: null, tcp: null, tls: null };
        progress.timing = timing;
        progress.connecting = openConnection(deps, target, timing, (...result) => {
          progress.connecting = undefined;
          callback(...result);
        });
      },
    });
    this.#progress = progress;
  }

  /** What the connection took that stands, or is being made. */
  get timing(): ConnectTiming | undefined {
    return this.#progress.timing;
  }

  /** Ends a connection that is still being made. */
  abandon(reason: Error): void {
    this.#progress.connecting?.destroy(reason);
  }

  override dispatch(
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    (options as ExchangeOptions).exchange.onConnection(this);
    return super.dispatch(options, handler);
  }
}

/**
 * Makes HTTP/1.1 calls, each on a connection of its own, which is kept for the next call to the same
 * origin. No proxy, no redirect, no cookie: what is not asked for does not happen.
 */
export class HttpClient implements AsyncDisposable {
  readonly #agent: Agent;

  constructor({ allow, resolve = lookup, ca }: HttpClientOptions) {
    const deps: ConnectorDeps = { allow, resolve, ca };
    this.#agent = new Agent({
      // The exchange has a deadline for all of it.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: 16_384,
      // Short, so that no call meets a server that is just closing an idle connection.
      keepAliveTimeout: 1_000,
      keepAliveMaxTimeout: 1_000,
      allowH2: false,
      factory: (origin, options) =>
        new Pool(origin, {
          ...options,
          factory: (to, poolOptions) => new Connection(to, poolOptions, deps),
        }),
    });
  }

  /** Never rejects: what went wrong is in the result. */
  send(request: HttpRequest, limits: ExchangeLimits): Promise<Exchanged> {
    const exchange = new Exchange(limits);
    const { url, method, headers, body } = request;
    const options: ExchangeOptions = {
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers: headers as string[],
      body,
      exchange,
    };
    if (exchange.settled) return exchange.done;
    try {
      this.#agent.dispatch(options, exchange);
    } catch (error) {
      exchange.onResponseError(undefined, error as Error);
    }
    return exchange.done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }
}
