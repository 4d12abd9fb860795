import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { text } from "node:stream/consumers";
import { pem } from "../support.js";

export interface Received {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  /** Names as they came. */
  names: string[];
  body: string;
}

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => unknown;

/** A real HTTP server that keeps what it received. */
export class Endpoint implements AsyncDisposable {
  readonly received: Received[];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #scheme: string;
  connections = 0;

  private constructor(server: Server, scheme: string, received: Received[]) {
    this.received = received;
    this.#server = server;
    this.#scheme = scheme;
    server.on("connection", (socket: Socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  /** @param certificate a name in certificates/, for https */
  static async start(
    answer: Answer = (_request, response) => response.end("ok"),
    { host = "127.0.0.1", port = 0, certificate = "" } = {},
  ): Promise<Endpoint> {
    const received: Received[] = [];
    const listener: RequestListener = (request, response) => {
      void text(request).then((body) => {
        const { method = "", url = "", headers, rawHeaders } = request;
        const names = rawHeaders.filter((_, at) => at % 2 === 0);
        received.push({ method, url, headers, names, body });
        return answer(request, response, body);
      });
    };
    const server =
      certificate === ""
        ? createServer(listener)
        : createTlsServer(
            { key: pem(`${certificate}.key`), cert: pem(`${certificate}.pem`) },
            listener,
          );
    const endpoint = new Endpoint(server, certificate === "" ? "http" : "https", received);
    server.listen(port, host);
    await once(server, "listening");
    return endpoint;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}
