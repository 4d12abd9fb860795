import { randomUUID } from "node:crypto";
import { createServer, STATUS_CODES, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { Transactions } from "../db/transactions.js";
import { CarillonError } from "../errors.js";
import { createApp, type AppDeps } from "./app.js";
import { toProblem } from "./problem.js";

export interface ServerOptions extends Omit<AppDeps, "transactions"> {
  /** Address to listen on, for example 127.0.0.1. */
  host: string;
  /** Port to listen on; 0 takes a free one. */
  port: number;
  /** Seconds running requests may take once the server closes; default 10. */
  drainSeconds?: number;
}

/** A listening API. */
export interface ApiServer extends AsyncDisposable {
  /** Where it answers. */
  readonly url: string;
  readonly port: number;
  /** Takes no new request, lets running ones end, and closes. The pool stays its owner's. */
  close(): Promise<void>;
}

/** Milliseconds a client may take to send; who sends a byte a minute holds no connection. */
const TIMEOUTS = {
  headersTimeout: 15_000,
  requestTimeout: 60_000,
  // Longer than the minute for which load balancers keep theirs, so that they never use a dead one.
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5000,
};

/**
 * Serves the API.
 *
 * @throws CarillonError `invalid_config` when the port is taken or the address not this machine's
 */
export async function startServer(options: ServerOptions): Promise<ApiServer> {
  const { host, port, drainSeconds = 10 } = options;
  const transactions = new Transactions(options.sql);
  const closing = new AbortController();
  const streams = { ...options.streams, closing: closing.signal };
  const server = createServer(TIMEOUTS, createApp({ ...options, transactions, streams }));
  server.on("clientError", refuseUnreadable);
  await listen(server, host, port);
  const bound = server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  const close = () => {
    // Streams would last; their clients come again, to whoever serves then.
    closing.abort();
    return (closed ??= drain(server, drainSeconds).then(() => transactions[Symbol.asyncDispose]()));
  };
  return { url: urlOf(host, bound.port), port: bound.port, close, [Symbol.asyncDispose]: close };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(new CarillonError("invalid_config", whyNot(error, host, port), { cause: error }));
    });
    server.listen({ host, port }, () => {
      server.removeAllListeners("error");
      resolve();
    });
  });
}

/** What is no HTTP request is answered as everything else is, as far as there is somebody to read it. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = toProblem(unreadable(error.code), randomUUID());
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ""}`,
    "content-type: application/problem+json",
    `content-length: ${Buffer.byteLength(body)}`,
    "cache-control: no-store",
    "x-content-type-options: nosniff",
    `x-request-id: ${problem.instance}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

function unreadable(code = ""): CarillonError {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return new CarillonError("headers_too_large", "path and headers together exceed 16 KiB");
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new CarillonError("request_timeout", "the request did not arrive in time");
    default:
      return new CarillonError("malformed_request", "this is not a valid HTTP/1.1 request");
  }
}

function whyNot(error: NodeJS.ErrnoException, host: string, port: number): string {
  switch (error.code ?? "") {
    case "EADDRINUSE":
      return `port ${port} on ${host} is in use: stop what listens there, or set CARILLON_PORT to another port (0 takes a free one)`;
    case "EACCES":
      return `port ${port} needs privileges this process lacks: set CARILLON_PORT to one above 1023`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `${host} is not an address of this machine: set CARILLON_HOST, for example to 127.0.0.1`;
    default:
      return `cannot listen on ${host} port ${port}: ${error.message}`;
  }
}

/** An address a browser can open: a wildcard is not one. */
function urlOf(host: string, port: number): string {
  if (host === "0.0.0.0" || host === "::") return `http://localhost:${port}`;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Connections kept alive become idle only after their running request; so they are swept. */
function drain(server: Server, seconds: number): Promise<void> {
  return new Promise((resolve) => {
    const sweep = setInterval(() => server.closeIdleConnections(), 50);
    const deadline = setTimeout(() => server.closeAllConnections(), seconds * 1000);
    server.close(() => {
      clearInterval(sweep);
      clearTimeout(deadline);
      resolve();
    });
    server.closeIdleConnections();
  });
}
