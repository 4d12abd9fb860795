import { randomUUID } from "node:crypto";
import type { Request, RequestHandler } from "express";
import type { Principal } from "../db/principals.js";
import type { Logger } from "../log.js";

/** What is known of a request besides itself. */
export interface RequestContext {
  readonly id: string;
  principal: Principal | undefined;
}

const contexts = new WeakMap<Request, RequestContext>();

/** The context of a request that openContext has seen. */
export function contextOf(request: Request): RequestContext {
  const context = contexts.get(request);
  if (context === undefined) throw new Error("the request has no context");
  return context;
}

/** A caller's own request id is kept when it is harmless in logs and headers. */
const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** Answers are private, are data and no pages, and are nobody's to embed. */
const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** First in line: gives the request an id, the answer its headers, and the log its line. */
export function openContext(log: Logger): RequestHandler {
  return (request, response, next) => {
    const given = request.get("x-request-id");
    const id = given !== undefined && REQUEST_ID.test(given) ? given : randomUUID();
    const context: RequestContext = { id, principal: undefined };
    contexts.set(request, context);
    response.set({ ...HEADERS, "x-request-id": id });

    const started = performance.now();
    response.once("close", () => {
      const fields = {
        requestId: id,
        method: request.method,
        // Without the query: what it filters by is the caller's business.
        path: request.path,
        status: response.statusCode,
        ms: Math.round((performance.now() - started) * 10) / 10,
        principal: context.principal?.username ?? null,
        ip: request.ip ?? null,
        ...(response.writableFinished ? {} : { aborted: true }),
      };
      log.info(fields, "request");
    });
    next();
  };
}
