import type { Express, Request, Response } from "express";
import { CarillonError } from "../../errors.js";
import { packageVersion } from "../../version.js";
import { etagOf, isFresh } from "../conditional.js";
import type { Route } from "../route.js";
import { openApiDocument } from "./document.js";
import { referencePage } from "./page.js";
import { STYLE } from "./style.js";

/** What the page may do: show itself in its own style, and nothing else. */
const POLICY =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Serves the API's description, for programs and for people; it holds nothing private. */
export function serveReference(app: Express, routes: readonly Route[]): void {
  const document = once(() => openApiDocument(routes, packageVersion()));
  const texts: Record<string, [string, () => string]> = {
    "/openapi.json": ["application/json", once(() => JSON.stringify(document()))],
    "/docs": ["text/html; charset=utf-8", once(() => referencePage(document()))],
    "/docs/style.css": ["text/css; charset=utf-8", () => STYLE],
  };
  for (const [path, [type, text]] of Object.entries(texts)) {
    app.all(path, (request, response) => show(request, response, type, text()));
  }
}

function show(request: Request, response: Response, type: string, text: string): void {
  response.set("allow", "GET, HEAD, OPTIONS");
  if (request.method === "OPTIONS") {
    response.status(204).end();
    return;
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    throw new CarillonError("method_not_allowed", `${request.method} is not allowed here`);
  }
  const etag = etagOf(text, undefined);
  // Kept, but asked for again: a new version of Carillon has a new description.
  response.set({ etag, "cache-control": "no-cache", "content-security-policy": POLICY });
  if (isFresh(request, etag)) response.status(304).end();
  else response.status(200).type(type).send(text);
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
