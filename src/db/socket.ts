import { Socket } from "node:net";

/** What the driver says of a server: one or more hosts, or the path of a Unix socket. */
export interface Address {
  host: readonly string[];
  port: readonly number[];
  path?: string | false | undefined;
  sslnegotiation?: unknown;
}

/**
 * A socket that postgres.js 3.4 survives the loss of. Two things go wrong with Node's own:
 *
 * Node tells of a broken connection by an error and, a moment later, by its close. The driver
 * rejects what it has sent upon the error, and until the close it goes on sending: what it sends in
 * between is never answered (github.com/porsager/postgres/issues/1130). So a connection that breaks
 * once it was made just closes here, upon which the driver rejects all. (Not so under TLS, for
 * which the driver makes another socket over this one.)
 *
 * What the driver was about to send when the connection closed stays in its buffer, and keeps it
 * from sending anything at all over the next connection, until it gives up after connect_timeout;
 * that again and again, until a kilobyte has come together. So a connection over which nothing is
 * sent, or anything but a first message, is closed at once: the driver tries the next, and has
 * a kilobyte within milliseconds. What waits for the connection is neither lost nor refused.
 */
class Connection extends Socket {
  #made = false;
  #begun = false;
  // What the driver's errors say where a connection failed.
  host?: string | undefined;
  port?: number | undefined;

  constructor() {
    super();
    this.once("connect", () => (this.#made = true));
  }

  override destroy(error?: Error): this {
    return super.destroy(this.#made ? undefined : error);
  }

  override _write(
    chunk: Buffer,
    encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
    // The first message has no letter before its length, and nothing follows before the answer.
    if (!this.#begun && chunk.readInt32BE(0) !== chunk.length) {
      this.destroy();
      return;
    }
    this.#begun = true;
    super._write(chunk, encoding, callback);
  }

  /** The driver sends its first message by the next round of immediates. */
  expectToBegin(): void {
    const look = () => void (this.#begun || this.destroy());
    setImmediate(() => setImmediate(look));
  }
}

/** Makes the sockets of a pool's connections, to one host after the other as the driver would. */
export function sockets(): (address: Address) => Socket {
  let next = 0;
  return ({ host, port, path, sslnegotiation }) => {
    const socket = new Connection();
    // A TLS of its own begins without any word from here.
    if (sslnegotiation !== "direct") socket.expectToBegin();
    if (path) return socket.connect(path);
    const turn = next++ % host.length;
    socket.host = host[turn];
    socket.port = port[turn] ?? 5432;
    return socket.connect({ host: host[turn] ?? "localhost", port: socket.port });
  };
}
