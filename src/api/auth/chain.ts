import type { Request } from "express";
import type { ApiSettings } from "../../config-api.js";
import type { Sql } from "../../db/connect.js";
import type { Principal } from "../../db/principals.js";
import { apiKeys } from "./api-key.js";
import { resolveIdentity } from "./identity.js";
import { jsonWebTokens } from "./jwt.js";
import { unauthenticated, type AmbientLink, type BearerLink } from "./link.js";
import { sessionCookies } from "./session.js";

/**
 * Who a request comes from: by its Authorization header if there is one, otherwise by its session
 * cookie. A bad credential is refused, whatever else the request carries.
 *
 * @throws CarillonError `unauthenticated` without a credential, or with one that is not good;
 *   `cross_site` for a change by cookie from another site; `identity_unavailable` when the server
 *   that would know does not answer
 */
export type Authenticate = (request: Request) => Promise<Principal>;

/** The chain of what this installation accepts. */
export function createAuthentication(sql: Sql, settings: ApiSettings): Authenticate {
  const { jwt, session, provisionRoles, corsOrigins } = settings;
  const resolve = resolveIdentity(sql, provisionRoles);
  const bearers: BearerLink[] = [apiKeys(sql)];
  if (jwt !== undefined) bearers.push(jsonWebTokens(jwt, resolve));
  const ambient: AmbientLink[] = [];
  if (session !== undefined) ambient.push(sessionCookies(session, corsOrigins, resolve));
  const accepted = [...bearers, ...ambient].map(({ name }) => name).join(", or ");

  return async (request) => {
    const token = bearerOf(request);
    if (token !== undefined) {
      const link = bearers.find((bearer) => bearer.accepts(token));
      if (link !== undefined) return link.authenticate(token);
      throw unauthenticated(
        `the bearer token is not ${bearers.map(({ name }) => name).join(" or ")}`,
        HINT,
      );
    }
    for (const link of ambient) {
      const principal = await link.authenticate(request);
      if (principal !== undefined) return principal;
    }
    throw unauthenticated(`no credentials: this endpoint needs ${accepted}`, HINT);
  };
}

const HINT = "send the header Authorization: Bearer crl_…";

function bearerOf(request: Request): string | undefined {
  const header = request.get("authorization");
  if (header === undefined) return undefined;
  const [scheme = "", credential = "", ...rest] = header.trim().split(/\s+/);
  if (scheme.toLowerCase() === "bearer" && credential !== "" && rest.length === 0) {
    return credential;
  }
  throw unauthenticated("the Authorization header is not of the form: Bearer crl_…", HINT);
}
