/* What is kept of a call, read without trusting that it is all there: old records may have less. */

export interface HttpExchange {
  request: { method: string; url: string; headers: Headers };
  redirects: { status: number; url: string }[];
  /** null: no answer came. */
  status: number | null;
  headers: Headers;
  body: string | null;
  /** How the body is to be read. */
  encoding: "text" | "base64";
  truncated: boolean;
  timing: Span[];
  /** Milliseconds of the whole call. */
  total: number | null;
}

export type Headers = readonly (readonly [string, string])[];

/** A part of the time that a call took. */
export interface Span {
  name: "DNS" | "Connect" | "TLS" | "Waiting" | "Rest";
  ms: number;
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null;
const textOf = (value: unknown) => (typeof value === "string" ? value : "");
const numberOf = (value: unknown) => (typeof value === "number" ? value : null);

/** The exchange of an attempt; undefined for what is none. */
export function exchangeOf(result: unknown): HttpExchange | undefined {
  if (!isFields(result) || result.type !== "http" || !isFields(result.request)) return undefined;
  const { request, timing } = result;
  const times = isFields(timing) ? timing : {};
  const total = numberOf(times.total);
  return {
    request: {
      method: textOf(request.method),
      url: textOf(request.url),
      headers: headersOf(request.headers),
    },
    redirects: Array.isArray(result.redirects)
      ? result.redirects
          .filter(isFields)
          .map((hop) => ({ status: numberOf(hop.status) ?? 0, url: textOf(hop.url) }))
      : [],
    status: numberOf(result.statusCode),
    headers: headersOf(result.headers),
    body: typeof result.body === "string" ? result.body : null,
    encoding: result.bodyEncoding === "base64" ? "base64" : "text",
    truncated: result.bodyTruncated === true,
    timing: spansOf(times, total),
    total,
  };
}

/** A header may have come several times. */
const headersOf = (headers: unknown): Headers =>
  isFields(headers)
    ? Object.entries(headers).flatMap(([name, value]) =>
        [value].flat().map((one) => [name, String(one)] as const),
      )
    : [];

/** What was measured, in its order, and what is left of the total: sending, redirects, the body. */
function spansOf(times: Fields, total: number | null): Span[] {
  const parts = [
    ["DNS", numberOf(times.dns)],
    ["Connect", numberOf(times.connect)],
    ["TLS", numberOf(times.tls)],
    ["Waiting", numberOf(times.firstByte)],
  ] as const;
  const spans = parts.flatMap(([name, ms]) => (ms === null ? [] : [{ name, ms }]));
  const rest = (total ?? 0) - spans.reduce((sum, { ms }) => sum + ms, 0);
  return rest > 0.05 ? [...spans, { name: "Rest", ms: rest }] : spans;
}

const LONG_NUMBER = /(?<![\w"])-?\d[\d.eE+-]{15,}/;

/** A body as people read it: JSON in lines, whatever the sender made of it. */
export function readable(body: string, headers: Headers): string {
  const type = headers.find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "";
  if (!/\bjson\b/i.test(type)) return body;
  try {
    // Numbers that JavaScript would round stay as they were sent.
    return LONG_NUMBER.test(body) ? body : JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
