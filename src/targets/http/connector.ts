import type { LookupAddress, LookupOptions } from "node:dns";
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { buildConnector } from "undici";
import { type AllowList, bareHost } from "./allow.js";
import { codeOf, HttpFailure } from "./failure.js";

/** Resolves a name to all of its addresses; `dns.lookup` is one. */
export type Resolve = (
  hostname: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface ConnectorDeps {
  allow: AllowList;
  resolve: Resolve;
  /** Certificates to trust besides the usual ones. */
  ca?: string | undefined;
}

/** Milliseconds that making a connection took; null for what there was no need to do. */
export interface ConnectTiming {
  /** When it began, of `performance.now()`. */
  readonly began: number;
  dns: number | null;
  tcp: number | null;
  tls: number | null;
}

/**
 * Makes one connection, to an allowed address only. Names are resolved once, and only addresses
 * that passed are handed to the socket; the address it then really has is checked again, before a
 * byte is sent. Certificates are verified whatever the environment says.
 *
 * @returns the socket, to be destroyed by who waits no longer
 */
export function openConnection(
  deps: ConnectorDeps,
  { hostname, protocol, port: portText }: buildConnector.Options,
  timing: ConnectTiming,
  callback: buildConnector.Callback,
): Socket {
  const host = bareHost(hostname);
  const port = Number(portText || (protocol === "https:" ? 443 : 80));
  const check = (address: string) => {
    const kind = deps.allow.refusal(address, host, port);
    return kind === undefined ? undefined : refused(kind);
  };
  let settled = false;
  const settle = (failure: HttpFailure | null, socket?: Socket) => {
    if (settled) return;
    settled = true;
    if (failure === null && socket !== undefined) callback(null, socket);
    else callback(failure ?? new HttpFailure("connect", "no connection"), null);
  };

  const tcp = connectTcp({
    host,
    port,
    lookup: guarded(deps.resolve, check, timing),
    autoSelectFamily: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
  });
  // A literal address is never looked up, so it is checked here.
  const literal = isIP(host) === 0 ? undefined : check(host);
  if (literal !== undefined) tcp.destroy(literal);
  tcp.on("error", (error) => settle(connectFailure(error)));
  tcp.on("close", () => settle(new HttpFailure("connect", "the connection was closed")));
  tcp.once("connect", () => {
    timing.tcp = performance.now() - timing.began - (timing.dns ?? 0);
    const wrong = check(tcp.remoteAddress ?? "");
    if (wrong !== undefined) tcp.destroy(wrong);
    else if (protocol === "https:") startTls(tcp, host, deps.ca, timing, settle);
    else settle(null, tcp);
  });
  return tcp;
}

const refused = (kind: string) =>
  new HttpFailure(
    "refused_address",
    kind === "invalid"
      ? "the host has no address that can be called"
      : `the host's address is not public (${kind}), and CARILLON_HTTP_ALLOW does not allow it`,
  );

/** A lookup that gives the socket allowed addresses only. */
function guarded(
  resolve: Resolve,
  check: (address: string) => HttpFailure | undefined,
  timing: ConnectTiming,
): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      timing.dns = performance.now() - timing.began;
      if (error !== null) {
        const message = `the host's name could not be resolved (${codeOf(error)})`;
        callback(new HttpFailure("dns", message, { cause: error }), []);
        return;
      }
      const allowed = found.filter(({ address }) => check(address) === undefined);
      const [first] = allowed;
      if (first === undefined) {
        const failure = found[0] === undefined ? undefined : check(found[0].address);
        callback(failure ?? new HttpFailure("dns", "the host's name has no address"), []);
      } else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

function startTls(
  tcp: Socket,
  host: string,
  ca: string | undefined,
  timing: ConnectTiming,
  settle: (failure: HttpFailure | null, socket?: Socket) => void,
): void {
  const began = performance.now();
  const tls = connectTls({
    socket: tcp,
    host,
    servername: isIP(host) === 0 ? host : "",
    rejectUnauthorized: true,
    ALPNProtocols: ["http/1.1"],
    ...(ca === undefined ? {} : { ca }),
  });
  tls.once("secureConnect", () => {
    timing.tls = performance.now() - began;
    settle(null, tls);
  });
  tls.on("error", (error) => {
    settle(
      new HttpFailure("tls", `the TLS connection was not made (${codeOf(error)})`, {
        cause: error,
      }),
    );
  });
  tls.on("close", () => settle(new HttpFailure("tls", "the TLS connection was closed")));
}

function connectFailure(error: Error): HttpFailure {
  if (error instanceof HttpFailure) return error;
  return new HttpFailure("connect", `no connection could be made (${codeOf(error)})`, {
    cause: error,
  });
}
