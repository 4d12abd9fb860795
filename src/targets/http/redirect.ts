import { HttpFailure } from "./failure.js";
import type { PreparedRequest } from "./request.js";
import { urlProblem } from "./url.js";

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * The request an answer redirects to; undefined when it redirects nowhere. As browsers do: 303 is
 * followed by GET, and so are 301 and 302 of a POST. Another origin gets neither the credentials nor
 * the signature, and https is never left for http.
 *
 * @throws HttpFailure of class `redirect`, where it must not be followed
 */
export function redirected(
  request: PreparedRequest,
  status: number,
  location: unknown,
): PreparedRequest | undefined {
  if (!REDIRECTS.has(status) || typeof location !== "string") return undefined;
  if (!URL.canParse(location, request.url.href)) {
    throw new HttpFailure("redirect", "the answer redirects to something that is no URL");
  }
  const url = new URL(location, request.url);
  const problem = urlProblem(url.href);
  if (problem !== undefined) {
    throw new HttpFailure("redirect", `the answer redirects to a URL that ${problem}`);
  }
  if (request.url.protocol === "https:" && url.protocol === "http:") {
    throw new HttpFailure("redirect", "the answer redirects from https to http");
  }
  const toGet = status === 303 || (request.method === "POST" && (status === 301 || status === 302));
  const sameOrigin = url.origin === request.url.origin;
  return {
    url,
    method: toGet ? "GET" : request.method,
    headers: request.headers.filter(
      ({ name, own }) =>
        (sameOrigin || !own) &&
        // A signature is of the body it came with.
        !(toGet && /^(content-.*|webhook-.*)$/i.test(name)),
    ),
    body: toGet ? null : request.body,
  };
}
