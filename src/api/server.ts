import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { CarillonError } from "../errors.js";
import { createApp, type AppDeps } from "./app.js";

export interface ServerOptions extends AppDeps {
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

/**
 * Serves the API.
 *
 * @throws CarillonError `invalid_config` when the port is taken or the address not this machine's
 */
export async function startServer(options: ServerOptions): Promise<ApiServer> {
  const { host, port, drainSeconds = 10 } = options;
  const closing = new AbortController();
  const streams = { ...options.streams, closing: closing.signal };
  const server = createServer(createApp({ ...options, streams }));
  await listen(server, host, port);
  const bound = server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  const close = () => {
    // Streams would last; their clients come again, to whoever serves then.
    closing.abort();
    return (closed ??= drain(server, drainSeconds));
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
