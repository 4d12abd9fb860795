import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** A door before a server, to shut and open: what a database that goes down looks like. */
export class Proxy implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #port: number;
  /** Swallows what clients send while true, as a server that hangs does. */
  readonly #state: { frozen: boolean };

  private constructor(
    url: string,
    server: Server,
    sockets: Set<Socket>,
    state: { frozen: boolean },
  ) {
    this.url = url;
    this.#server = server;
    this.#sockets = sockets;
    this.#state = state;
    this.#port = (server.address() as AddressInfo).port;
  }

  /** @param heard gets all that goes through, either way */
  static async to(url: string, heard: (data: Buffer) => void = () => undefined): Promise<Proxy> {
    const target = new URL(url);
    const sockets = new Set<Socket>();
    const state = { frozen: false };
    const server = createServer((client) => {
      const upstream = connect({ host: target.hostname, port: Number(target.port) });
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        sockets.add(from);
        from.on("data", (data) => {
          heard(data);
          if (!state.frozen) to.write(data);
        });
        from.on("error", () => to.destroy());
        from.on("close", () => {
          sockets.delete(from);
          to.destroy();
        });
      }
    });
    await listen(server, 0);
    const own = new URL(url);
    own.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    return new Proxy(own.href, server, sockets, state);
  }

  /** Cuts every connection and refuses new ones. */
  async shut(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
      for (const socket of this.#sockets) socket.destroy();
    });
  }

  open(): Promise<void> {
    this.#state.frozen = false;
    return listen(this.#server, this.#port);
  }

  get frozen(): boolean {
    return this.#state.frozen;
  }

  /** Keeps connections but lets nothing through any more. */
  freeze(): void {
    this.#state.frozen = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.shut();
  }
}

const listen = (server: Server, port: number) =>
  new Promise<void>((resolve) => {
    server.listen(port, "127.0.0.1", () => {
      resolve();
    });
  });
