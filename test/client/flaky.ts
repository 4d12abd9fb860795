import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage["headers"];
  body: string;
  at: number;
}

type Step = (response: ServerResponse, request: IncomingMessage) => void;

/** A server that behaves badly in a given order; then it answers [] for ever. */
export class FlakyServer implements AsyncDisposable {
  readonly seen: Seen[] = [];
  readonly #server;
  readonly #steps: Step[];

  private constructor(steps: Step[]) {
    this.#steps = steps;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(...steps: Step[]): Promise<FlakyServer> {
    const flaky = new FlakyServer(steps);
    flaky.#server.listen(0, "127.0.0.1");
    await once(flaky.#server, "listening");
    return flaky;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk as string;
    this.seen.push({ method, url, headers, body, at: performance.now() });
    (this.#steps.shift() ?? answer(200, []))(response, request);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

export const answer =
  (status: number, body: unknown, headers: Record<string, string> = {}): Step =>
  (response) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(text);
  };

export const problem = (status: number, code: string, headers: Record<string, string> = {}) =>
  answer(status, { status, code, detail: `it is ${code}`, instance: "req-1" }, headers);

export const hangUp: Step = (response) => void response.socket?.destroy();
export const hang: Step = () => undefined;
export const cutOff: Step = (response) => {
  response.writeHead(200, { "content-length": "100" }).write("[", () => response.socket?.destroy());
};

/** Events as they are given, then the end of the stream; or, cut, of the connection. */
export const events =
  (text: string, cut = false): Step =>
  (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(text, () => {
      if (cut) response.socket?.destroy();
      else response.end();
    });
  };
