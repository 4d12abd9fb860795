import type { Request } from "express";
import type { Sql } from "../db/connect.js";
import { authenticateKey, type Principal } from "../db/principals.js";
import { CarillonError } from "../errors.js";
import { hashKey, isKey } from "./keys.js";

/**
 * One kind of credential. It answers undefined when the request carries none of its kind, so that
 * the next link of the chain is asked, and throws when the request carries a bad one.
 */
export type Authenticator = (request: Request, sql: Sql) => Promise<Principal | undefined>;

const unauthenticated = (message: string) =>
  new CarillonError("unauthenticated", message, {
    hint: "send the header Authorization: Bearer crl_…",
  });

/** `Authorization: Bearer crl_…`. */
const apiKey: Authenticator = async (request, sql) => {
  const header = request.get("authorization");
  if (header === undefined) return undefined;
  const [scheme = "", credential = "", ...rest] = header.trim().split(/\s+/);
  if (scheme.toLowerCase() !== "bearer" || credential === "" || rest.length > 0) {
    throw unauthenticated("the Authorization header is not of the form: Bearer crl_…");
  }
  if (!isKey(credential)) throw unauthenticated("the bearer token is not an API key (crl_…)");
  const principal = await authenticateKey(sql, hashKey(credential));
  if (principal === undefined) {
    // One message for all of them: which it was is nobody's business without a valid key.
    throw unauthenticated("the API key is unknown, revoked or expired, or its holder is disabled");
  }
  return principal;
};

const CHAIN: readonly Authenticator[] = [apiKey];

/**
 * Who a request comes from.
 *
 * @throws CarillonError `unauthenticated` without a credential, or with one that is not good
 */
export async function authenticate(request: Request, sql: Sql): Promise<Principal> {
  for (const link of CHAIN) {
    const principal = await link(request, sql);
    if (principal !== undefined) return principal;
  }
  throw unauthenticated("no credentials: this endpoint needs an API key");
}
