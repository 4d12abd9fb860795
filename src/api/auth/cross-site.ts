import type { Request } from "express";
import { CarillonError } from "../../errors.js";

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Refuses a change that a page of another site asks for with a cookie the browser adds by itself.
 * Browsers say where a request comes from (Sec-Fetch-Site, Origin) and pages cannot change that;
 * so no token has to be handed around. A request that says nothing of it is refused as well.
 *
 * @throws CarillonError `cross_site`
 */
export function refuseCrossSite(request: Request, allowedOrigins: readonly string[]): void {
  if (SAFE.has(request.method)) return;
  const origin = request.get("origin");
  if (origin !== undefined && allowedOrigins.includes(origin)) return;
  const site = request.get("sec-fetch-site");
  if (site === "same-origin") return;
  // Older browsers send only the origin. Of ours, the scheme is a proxy's business.
  if (site === undefined && origin !== undefined && hostOf(origin) === request.get("host")) return;
  throw new CarillonError(
    "cross_site",
    "a change with a session cookie must come from a page of this very site",
    { hint: "programs authenticate by an API key: Authorization: Bearer crl_…" },
  );
}

const hostOf = (origin: string) => (URL.canParse(origin) ? new URL(origin).host : undefined);
