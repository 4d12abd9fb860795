import {
  createRemoteJWKSet,
  errors,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyOptions,
} from "jose";
import type { JwtSettings } from "../../config-api.js";
import type { Resolve } from "./identity.js";
import { identityUnavailable, unauthenticated, type BearerLink } from "./link.js";

const FORM = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** `Authorization: Bearer eyJ…`: tokens of one issuer, for one audience. */
export function jsonWebTokens(settings: JwtSettings, resolve: Resolve): BearerLink {
  const options = {
    issuer: settings.issuer,
    audience: settings.audience,
    algorithms: [...settings.algorithms],
    clockTolerance: settings.toleranceSeconds,
    requiredClaims: ["sub", "exp"],
  };
  const verify = verifier(settings, options);
  return {
    name: "a token of the configured issuer",
    accepts: (token) => FORM.test(token),
    authenticate: async (token) => {
      const payload = await verify(token).catch((error: unknown) => {
        throw refusalOf(error);
      });
      const { sub = "" } = payload;
      if (sub === "" || sub.length > 255) {
        throw unauthenticated("the token's sub is not a text of 1 to 255 characters");
      }
      return resolve({ issuer: settings.issuer, subject: sub, username: nameIn(payload) });
    },
  };
}

function verifier({ keys, rotationMs }: JwtSettings, options: JWTVerifyOptions) {
  if ("secret" in keys) {
    const secret = new TextEncoder().encode(keys.secret);
    return async (token: string) => (await jwtVerify(token, secret, options)).payload;
  }
  // Fetched when first needed, kept for ten minutes, and again for a key it does not hold.
  const keySet = createRemoteJWKSet(new URL(keys.jwksUrl), {
    cooldownDuration: rotationMs,
    timeoutDuration: 3000,
  });
  return async (token: string) => (await jwtVerify(token, keySet, options)).payload;
}

/** Why a token is not good, without a word of what it holds; or that we could not find out. */
function refusalOf(error: unknown): Error {
  if (error instanceof errors.JWTExpired) return unauthenticated("the token has expired");
  if (error instanceof errors.JWTClaimValidationFailed) {
    return unauthenticated(`the token's ${error.claim} is missing or not accepted here`);
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return unauthenticated("the token's algorithm is not accepted here");
  }
  if (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys
  ) {
    return unauthenticated("the token is signed with a key that its issuer does not publish");
  }
  if (
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JOSENotSupported
  ) {
    return unauthenticated("the token is not a valid one: its form or its signature is wrong");
  }
  return identityUnavailable("the keys of the token's issuer cannot be fetched", error);
}

function nameIn(payload: JWTPayload): string {
  const { preferred_username: name, email, sub } = payload;
  return [name, email, sub].find((text) => typeof text === "string" && text !== "") as string;
}
