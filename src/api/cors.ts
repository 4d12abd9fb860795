import type { RequestHandler } from "express";

/** What a page of another site may send and read besides what browsers always allow. */
const REQUEST_HEADERS = [
  ...["authorization", "content-type", "idempotency-key", "if-match", "if-none-match"],
  ...["last-event-id", "x-request-id"],
].join(", ");
const RESPONSE_HEADERS = [
  ...["date", "etag", "idempotency-replayed", "location", "ratelimit", "ratelimit-policy"],
  ...["retry-after", "www-authenticate", "x-request-id"],
].join(", ");

/**
 * Lets pages of these origins call the API and read its answers. Without origins no header says
 * anything, and browsers keep other sites' pages out.
 */
export function allowOrigins(origins: readonly string[]): RequestHandler {
  return (request, response, next) => {
    if (origins.length > 0) response.vary("origin");
    const origin = request.get("origin");
    if (origin !== undefined && origins.includes(origin)) {
      response.set({
        "access-control-allow-origin": origin,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": RESPONSE_HEADERS,
      });
      if (request.get("access-control-request-method") !== undefined) {
        response.set({
          "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
          "access-control-allow-headers": REQUEST_HEADERS,
          "access-control-max-age": "600",
        });
      }
    }
    next();
  };
}
