import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A server of somebody else: it gives keys, or tells whose a session is. */
export class Issuer implements AsyncDisposable {
  readonly #server: Server;
  /** Requests it got. */
  readonly seen: IncomingMessage[] = [];
  answer: (request: IncomingMessage, response: ServerResponse) => void = () => undefined;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.seen.push(request);
      this.answer(request, response);
    });
  }

  static async start(): Promise<Issuer> {
    const issuer = new Issuer();
    issuer.#server.listen(0, "127.0.0.1");
    await once(issuer.#server, "listening");
    return issuer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  json(status: number, body: unknown): void {
    this.answer = (_, response) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
