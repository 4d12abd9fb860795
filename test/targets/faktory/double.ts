import { createHash, randomBytes, randomInt } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { pem } from "../support.js";

/** A job as it was pushed. */
export type Pushed = Record<string, unknown> & { jid: string; queue: string };

const sha256 = (bytes: string | Buffer) => createHash("sha256").update(bytes).digest();

/**
 * Speaks Faktory's protocol on the wire, as far as producers use it, the way a server of version
 * 1.10.0 was seen to: greetings, passwords, errors and their texts are its.
 */
export class FaktoryDouble implements AsyncDisposable {
  readonly pushed: Pushed[] = [];
  readonly hellos: Record<string, unknown>[] = [];
  connections = 0;
  ended = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #password: string | undefined;

  private constructor({ password, certificate }: { password?: string; certificate?: string }) {
    this.#password = password;
    const serve = (socket: Socket) => this.#serve(socket);
    this.#server =
      certificate === undefined
        ? createServer(serve)
        : createTlsServer(
            { key: pem(`${certificate}.key`), cert: pem(`${certificate}.pem`) },
            serve,
          );
    this.#server.on("tlsClientError", () => undefined);
  }

  static async start(
    options: { password?: string; certificate?: string; port?: number } = {},
  ): Promise<FaktoryDouble> {
    const double = new FaktoryDouble(options);
    double.#server.listen(options.port ?? 0, "127.0.0.1");
    await once(double.#server, "listening");
    return double;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Cuts every connection, as a server that restarts does. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(socket: Socket): void {
    this.connections += 1;
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket)).on("error", () => undefined);
    const session = new Session(socket, this.#password, this);
    let held = "";
    socket.on("data", (chunk) => {
      held += String(chunk);
      for (let end = held.indexOf("\r\n"); end !== -1; end = held.indexOf("\r\n")) {
        session.take(held.slice(0, end));
        held = held.slice(end + 2);
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }
}

class Session {
  readonly #socket: Socket;
  readonly #double: FaktoryDouble;
  readonly #expected: string | undefined;
  #greeted = false;

  constructor(socket: Socket, password: string | undefined, double: FaktoryDouble) {
    this.#socket = socket;
    this.#double = double;
    if (password === undefined) {
      this.#say('+HI {"v":2}');
      return;
    }
    const rounds = randomInt(4000, 8000);
    const salt = randomBytes(8).toString("hex");
    let hash = sha256(password + salt);
    for (let round = 1; round < rounds; round++) hash = sha256(hash);
    this.#expected = hash.toString("hex");
    this.#say(`+HI {"v":2,"i":${rounds},"s":"${salt}"}`);
  }

  take(line: string): void {
    const [command = "", ...rest] = line.split(" ");
    const argument = rest.join(" ");
    if (!this.#greeted) this.#hello(command, argument);
    else if (command === "PUSH") this.#push(argument);
    else if (command === "INFO") this.#info();
    else if (command === "END") {
      this.#double.ended += 1;
      this.#socket.end();
    } else this.#say(`-ERR unknown command ${command}`);
  }

  #hello(command: string, argument: string): void {
    if (command !== "HELLO") {
      this.#socket.end();
      return;
    }
    const hello = JSON.parse(argument) as Record<string, unknown>;
    this.#double.hellos.push(hello);
    if (this.#expected !== undefined && hello.pwdhash !== this.#expected) {
      this.#socket.end("-ERR Invalid password\r\n");
      return;
    }
    this.#greeted = true;
    this.#say("+OK");
  }

  #push(argument: string): void {
    let job: Record<string, unknown>;
    try {
      job = JSON.parse(argument) as Record<string, unknown>;
    } catch {
      this.#say("-ERR invalid JSON: unexpected end of JSON input");
      return;
    }
    const { jid, jobtype, args } = job;
    if (typeof jid !== "string" || jid.length < 8) {
      this.#say("-ERR jobs must have a reasonable jid parameter");
    } else if (typeof jobtype !== "string" || jobtype === "") {
      this.#say("-ERR jobs must have a jobtype parameter");
    } else if (!Array.isArray(args)) {
      this.#say("-ERR jobs must have an args parameter");
    } else {
      this.#double.pushed.push({ queue: "default", ...job, jid });
      this.#say("+OK");
    }
  }

  #info(): void {
    const queues: Record<string, number> = { default: 0 };
    for (const { queue } of this.#double.pushed) queues[queue] = (queues[queue] ?? 0) + 1;
    const total = this.#double.pushed.length;
    const info = JSON.stringify({
      faktory: { queues, total_enqueued: total, total_queues: Object.keys(queues).length },
      server: { faktory_version: "1.10.0", connections: this.#double.connections },
      server_utc_time: "14:00:00 UTC",
    });
    this.#say(`$${Buffer.byteLength(info)}\r\n${info}`);
  }

  #say(line: string): void {
    this.#socket.write(`${line}\r\n`);
  }
}
