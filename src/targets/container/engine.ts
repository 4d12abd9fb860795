import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { Agent, type Dispatcher, request } from "undici";
import { ContainerFailure, EngineError } from "./failure.js";
import type { ImageReference } from "./images.js";

const CALL_TIMEOUT_MS = 30_000;
const PULL_TIMEOUT_MS = 600_000;

/** What the engine knows of a container, as far as it matters here. */
export interface Inspected {
  readonly Id: string;
  readonly Created: string;
  readonly Config: { readonly Labels: Readonly<Record<string, string>> };
  readonly State: {
    readonly Status: string;
    readonly Running: boolean;
    readonly ExitCode: number;
    readonly OOMKilled: boolean;
    readonly Error: string;
    readonly StartedAt: string;
    readonly FinishedAt: string;
  };
}

interface CallOptions {
  body?: object;
  signal?: AbortSignal;
  timeoutMs?: number;
}

type Query = Readonly<Record<string, string | number>>;

/**
 * The Docker Engine API over its socket, as far as running one container needs it.
 *
 * @see https://docs.docker.com/reference/api/engine/
 */
export class Engine implements AsyncDisposable {
  readonly #agent: Agent;

  constructor(socketPath: string) {
    this.#agent = new Agent({ connect: { socketPath }, headersTimeout: 0, bodyTimeout: 0 });
  }

  /** Makes a container; its id. */
  async create(name: string, config: object): Promise<string> {
    const answer = await this.#call("POST", "/containers/create", { name }, { body: config });
    return (JSON.parse(answer) as { Id: string }).Id;
  }

  async start(id: string): Promise<void> {
    await this.#call("POST", `/containers/${id}/start`);
  }

  /** Undefined when there is none of that id or name. */
  async inspect(idOrName: string): Promise<Inspected | undefined> {
    try {
      return JSON.parse(await this.#call("GET", `/containers/${idOrName}/json`)) as Inspected;
    } catch (error) {
      if (error instanceof EngineError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** Ids of the containers, running or not, that have a label. */
  async list(label: string): Promise<string[]> {
    const filters = JSON.stringify({ label: [label] });
    const answer = await this.#call("GET", "/containers/json", { all: 1, filters });
    return (JSON.parse(answer) as { Id: string }[]).map(({ Id }) => Id);
  }

  /** Resolves when the container does not run (any more). */
  async wait(id: string, signal: AbortSignal): Promise<void> {
    // With the condition "next-exit" one that has ended already would be waited for, for ever.
    const options = { signal, timeoutMs: 0 };
    await this.#call("POST", `/containers/${id}/wait`, { condition: "not-running" }, options);
  }

  /**
   * Sends the container's stop signal, and SIGKILL when it runs still after so many seconds.
   *
   * @returns whether there was anything to stop
   */
  async stop(id: string, graceSeconds: number): Promise<boolean> {
    const { statusCode, body } = await this.#send("POST", `/containers/${id}/stop`, {
      t: graceSeconds,
    });
    await body.dump();
    return statusCode !== 304;
  }

  /** Removes a container, with its volumes, running or not. */
  async remove(id: string): Promise<void> {
    try {
      await this.#call("DELETE", `/containers/${id}`, { force: "true", v: "true" });
    } catch (error) {
      // Gone, or being removed by somebody else.
      if (!(error instanceof EngineError && [404, 409].includes(error.status))) throw error;
    }
  }

  /** What the container will write, byte by byte; to be asked for before it is started. */
  async attach(id: string): Promise<Readable> {
    const query = { stream: "true", stdout: "true", stderr: "true" };
    const path = `/containers/${id}/attach`;
    return (await this.#send("POST", path, query, { timeoutMs: 0 })).body;
  }

  /**
   * The container's output from its start to its end, as the engine kept it. Engine 20.10 loses the
   * end of a line whose length is a multiple of 16 KiB, so {@link attach} is better where there is
   * still time for it.
   */
  async logs(id: string, signal: AbortSignal): Promise<Readable> {
    const query = { follow: "true", stdout: "true", stderr: "true" };
    return (await this.#send("GET", `/containers/${id}/logs`, query, { signal, timeoutMs: 0 }))
      .body;
  }

  /** Pulls an image. */
  async pull({ name, tag, digest }: ImageReference, signal: AbortSignal): Promise<void> {
    // Without a tag the engine would pull all there are.
    const query = { fromImage: name, tag: digest ?? tag };
    const options = { signal, timeoutMs: PULL_TIMEOUT_MS };
    const progress = await this.#call("POST", "/images/create", query, options);
    // The status is sent before the pull has begun; what comes of it is in the last lines.
    for (const line of progress.split("\n")) {
      const { error } = line.trim() === "" ? {} : (JSON.parse(line) as { error?: string });
      if (error !== undefined) throw new EngineError(500, error);
    }
  }

  async #call(
    method: Dispatcher.HttpMethod,
    path: string,
    query: Query = {},
    options: CallOptions = {},
  ): Promise<string> {
    const { body } = await this.#send(method, path, query, options);
    try {
      return await text(body);
    } catch (error) {
      throw unreachable(error, options.signal);
    }
  }

  async #send(
    method: Dispatcher.HttpMethod,
    path: string,
    query: Query,
    { body, signal, timeoutMs = CALL_TIMEOUT_MS }: CallOptions = {},
  ): Promise<Dispatcher.ResponseData> {
    const signals = [
      ...(signal === undefined ? [] : [signal]),
      ...(timeoutMs === 0 ? [] : [AbortSignal.timeout(timeoutMs)]),
    ];
    let response: Dispatcher.ResponseData;
    try {
      response = await request(`http://engine${path}`, {
        method,
        query,
        dispatcher: this.#agent,
        signal: signals.length === 0 ? null : AbortSignal.any(signals),
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      });
    } catch (error) {
      throw unreachable(error, signal);
    }
    if (response.statusCode < 400) return response;
    throw new EngineError(response.statusCode, messageOf(await text(response.body)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }
}

function messageOf(body: string): string {
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    if (typeof message === "string") return message;
  } catch {
    // Not JSON: some proxy before it.
  }
  return body.slice(0, 500);
}

function unreachable(error: unknown, signal: AbortSignal | undefined): ContainerFailure {
  if (signal?.aborted === true) return new ContainerFailure("aborted", "the call was aborted");
  const { code, name } = error as { code?: string; name?: string };
  const what = code ?? name ?? "unknown error";
  return new ContainerFailure("engine", `the container engine does not answer (${what})`, {
    cause: error,
  });
}
