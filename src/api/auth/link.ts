import type { Request } from "express";
import type { Principal } from "../../db/principals.js";
import { CarillonError } from "../../errors.js";

/** A kind of bearer token, told by its form. */
export interface BearerLink {
  /** For messages: "an API key (crl_…)". */
  readonly name: string;
  accepts(token: string): boolean;
  /** @throws CarillonError `unauthenticated` for a token that is not good */
  authenticate(token: string): Promise<Principal>;
}

/** A kind of credential that browsers send by themselves. */
export interface AmbientLink {
  readonly name: string;
  /** Undefined when the request carries none; throws when it carries a bad one. */
  authenticate(request: Request): Promise<Principal | undefined>;
}

export const unauthenticated = (message: string, hint?: string) =>
  new CarillonError("unauthenticated", message, hint === undefined ? {} : { hint });

/** What else than the caller may be at fault: nobody is let in unasked. */
export const identityUnavailable = (message: string, cause: unknown) =>
  new CarillonError("identity_unavailable", message, { cause });
