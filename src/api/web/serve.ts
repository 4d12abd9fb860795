import type { Express, Request, Response } from "express";
import { etagOf, isFresh } from "../conditional.js";
import type { BuiltPage, PageFile } from "./files.js";

/** Its own scripts and styles, its own API, and nothing else: no inline code, no other site. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

const PAGE_HEADERS = {
  "content-security-policy": POLICY,
  "cross-origin-opener-policy": "same-origin",
  "referrer-policy": "same-origin",
};

/** What programs ask for: never answered with a page. */
const NOT_PAGES = /^\/(api|docs|openapi\.json|healthz|readyz|assets)(\/|$)/;

/**
 * Serves the dashboard: its files, and its document for every other path that a browser opens, so
 * that a link deep into it works. Goes behind the API's routes.
 */
export function servePage(app: Express, page: BuiltPage, base: string): void {
  app.use((request, response, next) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      next();
      return;
    }
    const file = page.files.get(request.path);
    if (file !== undefined) sendAsset(request, response, file);
    else if (!NOT_PAGES.test(request.path) && wantsPage(request)) {
      sendDocument(request, response, documentOf(page.index, base, themeOf(request)));
    } else next();
  });
}

/** A browser that opens a page says so; programs take anything, and get the API's answers. */
const wantsPage = (request: Request) => /\btext\/html\b/i.test(request.get("accept") ?? "");

/** The document with its links below the base, and in the theme that was chosen. */
function documentOf(index: string, base: string, theme: string | undefined): string {
  const placed = index.replaceAll('="./', `="${base}`).replace('"base":"./"', `"base":"${base}"`);
  return theme === undefined ? placed : placed.replace("<html ", `<html data-theme="${theme}" `);
}

/** Known before the first paint, without a script in the document. */
const themeOf = (request: Request) =>
  /(?:^|;\s*)carillon_theme=(dark|light)(?:;|$)/.exec(request.headers.cookie ?? "")?.[1];

function sendDocument(request: Request, response: Response, text: string): void {
  const etag = etagOf(text, undefined);
  response.set({ ...PAGE_HEADERS, etag, vary: "cookie", "cache-control": "no-cache" });
  if (isFresh(request, etag)) response.status(304).end();
  else response.status(200).type("text/html; charset=utf-8").send(text);
}

function sendAsset(request: Request, response: Response, file: PageFile): void {
  const encoding = (["br", "gzip"] as const).find(
    (one) => file.encoded[one] !== undefined && request.acceptsEncodings(one) === one,
  );
  if (encoding !== undefined) response.set("content-encoding", encoding);
  response.set({
    ...PAGE_HEADERS,
    vary: "accept-encoding",
    "cache-control": file.immutable ? "public, max-age=31536000, immutable" : "no-cache",
  });
  response
    .status(200)
    .type(file.type)
    .send((encoding && file.encoded[encoding]) ?? file.plain);
}
