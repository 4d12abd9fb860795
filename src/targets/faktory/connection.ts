import { createHash } from "node:crypto";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { hostname } from "node:os";
import { connect as connectTls } from "node:tls";
import { FaktoryFailure } from "./failure.js";
import type { FaktoryInstance } from "./instances.js";
import { type Reply, ReplyParser } from "./replies.js";

/** Rounds of hashing a server may ask for; real ones ask for some thousands. */
const MAX_ROUNDS = 100_000;

/** How a server proves that it knows the password's salt, and what it speaks. */
interface Greeting {
  v?: unknown;
  s?: unknown;
  i?: unknown;
}

export interface ConnectionOptions {
  /** Certificates (PEM) to trust instead of the usual ones. */
  ca?: string | undefined;
}

/**
 * A connection to a Faktory server, for one command at a time. When something goes wrong with it
 * (the signal is aborted, too), it is over.
 */
export class FaktoryConnection {
  readonly #socket: Socket;
  readonly #parser = new ReplyParser();
  readonly #replies: Reply[] = [];
  #failure: FaktoryFailure | undefined;
  #established = false;
  #wake: () => void = () => undefined;

  private constructor(instance: FaktoryInstance, { ca }: ConnectionOptions) {
    const { host, port, tls } = instance;
    this.#socket = tls
      ? connectTls({
          ...{ host, port, rejectUnauthorized: true, minVersion: "TLSv1.2" },
          servername: isIP(host) === 0 ? host : "",
          ...(ca === undefined ? {} : { ca }),
        })
      : connectTcp({ host, port });
    this.#socket.setNoDelay(true);
    this.#socket.once(tls ? "secureConnect" : "connect", () => (this.#established = true));
    this.#socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on("error", (error) => this.#fail(this.#broken(error, tls)));
    this.#socket.on("close", () =>
      this.#fail(new FaktoryFailure("reset", "the server closed the connection")),
    );
  }

  /**
   * Connects and says hello.
   *
   * @throws FaktoryFailure
   */
  static async open(
    instance: FaktoryInstance,
    signal: AbortSignal,
    options: ConnectionOptions = {},
  ): Promise<FaktoryConnection> {
    const connection = new FaktoryConnection(instance, options);
    await connection.#guarded(signal, async () => {
      const greeting = parseGreeting(await connection.#reply());
      const hello = { hostname: hostname(), pid: process.pid, v: 2, ...proof(greeting, instance) };
      connection.#write("HELLO", JSON.stringify(hello));
      const answer = await connection.#reply();
      if (answer.kind === "error") throw refusedHello(answer.text, instance);
    });
    return connection;
  }

  get usable(): boolean {
    return this.#failure === undefined && this.#replies.length === 0;
  }

  /**
   * Sends a command and waits for its answer; null for an empty one.
   *
   * @throws FaktoryFailure
   */
  async command(name: string, argument: string, signal: AbortSignal): Promise<string | null> {
    return this.#guarded(signal, async () => {
      this.#write(name, argument);
      const reply = await this.#reply();
      if (reply.kind !== "error") return reply.text;
      throw new FaktoryFailure("refused", `the server refused it: ${reply.text.slice(0, 500)}`);
    });
  }

  /** Takes leave. */
  end(): void {
    if (this.#failure === undefined) this.#socket.end("END\r\n");
    this.#failure ??= new FaktoryFailure("reset", "the connection has ended");
    // A server that does not close is not waited for.
    this.#socket.destroySoon();
  }

  /** Does not keep the process alive while nobody waits for it. */
  rest(): void {
    this.#socket.unref();
  }

  async #guarded<T>(signal: AbortSignal, talk: () => Promise<T>): Promise<T> {
    const abort = () => this.#fail(reasonOf(signal, this.#established));
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    this.#socket.ref();
    try {
      return await talk();
    } catch (error) {
      // A refused command leaves the connection as it was; anything else does not.
      if (!(error instanceof FaktoryFailure && error.class === "refused")) this.#drop(error);
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  #write(name: string, argument: string): void {
    if (this.#failure === undefined) this.#socket.write(`${name} ${argument}`.trim() + "\r\n");
  }

  async #reply(): Promise<Reply> {
    for (;;) {
      const reply = this.#replies.shift();
      if (reply !== undefined) return reply;
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #receive(chunk: Buffer): void {
    if (this.#failure !== undefined) return;
    try {
      this.#replies.push(...this.#parser.push(chunk));
    } catch (error) {
      this.#drop(error);
    }
    this.#wake();
  }

  #drop(error: unknown): void {
    this.#fail(
      error instanceof FaktoryFailure
        ? error
        : new FaktoryFailure("protocol", String(error), { cause: error }),
    );
  }

  /** The first failure counts. */
  #fail(failure: FaktoryFailure): void {
    if (this.#failure === undefined) this.#failure = failure;
    this.#socket.destroy();
    this.#wake();
  }

  #broken(error: NodeJS.ErrnoException, tls: boolean): FaktoryFailure {
    const code = error.code ?? error.message;
    if (this.#established) {
      return new FaktoryFailure("reset", `the connection was lost (${code})`, { cause: error });
    }
    return tls && error.syscall === undefined
      ? new FaktoryFailure("tls", `the TLS connection was not made (${code})`, { cause: error })
      : new FaktoryFailure("connect", `no connection could be made (${code})`, { cause: error });
  }
}

function reasonOf(signal: AbortSignal, established: boolean): FaktoryFailure {
  if (signal.reason instanceof FaktoryFailure) return signal.reason;
  const isTimeout = signal.reason instanceof DOMException && signal.reason.name === "TimeoutError";
  if (!isTimeout) return new FaktoryFailure("aborted", "the push was aborted");
  return new FaktoryFailure(
    "timeout",
    established ? "the server did not answer in time" : "no connection could be made in time",
  );
}

function parseGreeting(reply: Reply): Greeting {
  const json = reply.kind === "line" && reply.text.startsWith("HI ") ? reply.text.slice(3) : "";
  try {
    const greeting = JSON.parse(json) as Greeting;
    if (greeting.v === 2) return greeting;
  } catch {
    throw new FaktoryFailure("protocol", "the server does not greet as Faktory does");
  }
  throw new FaktoryFailure("protocol", "the server speaks another version of Faktory's protocol");
}

/** What shows that we know the password, where the server asks for it. */
function proof({ s: salt, i: rounds }: Greeting, { password, name }: FaktoryInstance): object {
  if (salt === undefined) return {};
  if (password === undefined) throw refusedHello("", { password, name });
  if (typeof salt !== "string" || !Number.isInteger(rounds) || Number(rounds) < 1) {
    throw new FaktoryFailure("protocol", "the server's greeting cannot be answered");
  }
  if (Number(rounds) > MAX_ROUNDS) {
    throw new FaktoryFailure("protocol", `the server asks for ${Number(rounds)} rounds of hashing`);
  }
  let hash = sha256(Buffer.from(password + salt));
  for (let round = 1; round < Number(rounds); round++) hash = sha256(hash);
  return { pwdhash: hash.toString("hex") };
}

const sha256 = (bytes: Buffer): Buffer => createHash("sha256").update(bytes).digest();

function refusedHello(
  text: string,
  { password, name }: Pick<FaktoryInstance, "name" | "password">,
): FaktoryFailure {
  const variable = `CARILLON_FAKTORY_${name.toUpperCase()}_PASSWORD`;
  if (password === undefined) {
    return new FaktoryFailure("password", `the server wants a password; set ${variable}`);
  }
  return /password/i.test(text)
    ? new FaktoryFailure("password", `the server refused the password in ${variable}`)
    : new FaktoryFailure("protocol", `the server refused our greeting: ${text.slice(0, 200)}`);
}
