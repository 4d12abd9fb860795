import type { IncomingHttpHeaders } from "node:http";
import type { RecordedBody } from "./body.js";
import type { Exchanged, ExchangeTiming } from "./exchange.js";
import type { PreparedRequest } from "./request.js";
import type { Hop } from "./target.js";

/** What is kept of a call. */
export interface HttpRecord extends RecordedBody {
  readonly type: "http";
  readonly request: {
    readonly method: string;
    readonly url: string;
    /** Without secrets. */
    readonly headers: Readonly<Record<string, string>>;
  };
  /** The answers that redirected, in order. */
  readonly redirects: readonly Hop[];
  /** The answer's status; null when none came. */
  readonly statusCode: number | null;
  readonly headers: IncomingHttpHeaders;
  /** Milliseconds; of the last answer but for the total. */
  readonly timing: ExchangeTiming & { readonly total: number };
}

export function httpRecord(
  first: PreparedRequest,
  { hops, exchanged }: { hops: readonly Hop[]; exchanged: Exchanged },
  body: RecordedBody,
  total: number,
): HttpRecord {
  const { status, headers, timing } = exchanged;
  return {
    type: "http",
    request: {
      method: first.method,
      url: first.url.href,
      headers: Object.fromEntries(first.headers.map(({ name, shown }) => [name, shown])),
    },
    redirects: hops,
    statusCode: status,
    headers,
    ...body,
    timing: {
      dns: tenths(timing.dns),
      connect: tenths(timing.connect),
      tls: tenths(timing.tls),
      firstByte: tenths(timing.firstByte),
      total: tenths(total),
    },
  };
}

/** To a tenth of a millisecond. */
function tenths(ms: number): number;
function tenths(ms: number | null): number | null;
function tenths(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 10) / 10;
}
