import { z } from "zod";

/** Bearer tokens (JWT) of one issuer. */
export interface JwtSettings {
  /** The `iss` a token must have. */
  readonly issuer: string;
  /** The `aud` a token must have, or have among others. */
  readonly audience: string;
  /** What its signature is held against: a shared secret (HS256), or the keys at a URL. */
  readonly keys: { readonly secret: string } | { readonly jwksUrl: string };
  /** Algorithms accepted with a key set; a secret means HS256 and nothing else. */
  readonly algorithms: readonly string[];
  /** Seconds by which the issuer's clock may differ from ours. */
  readonly toleranceSeconds: number;
  /** Milliseconds after a fetch of the key set before an unknown key causes the next. */
  readonly rotationMs: number;
}

/** Session cookies of a server that says whose they are, as Ory Kratos does. */
export interface SessionSettings {
  /** Asked with the cookie: 200 and the session, or 401. */
  readonly whoamiUrl: string;
  readonly cookie: string;
  /** Milliseconds an answer is remembered. */
  readonly rememberMs: number;
  /** Milliseconds the server may take to answer. */
  readonly timeoutMs: number;
}

/** What the API is served with. */
export interface ApiSettings {
  readonly jwt: JwtSettings | undefined;
  readonly session: SessionSettings | undefined;
  /** Makes a principal with these roles for an identity that is new here; undefined: refuses it. */
  readonly provisionRoles: readonly string[] | undefined;
  /** Origins of other sites whose pages may call the API, such as https://ops.example.com. */
  readonly corsOrigins: readonly string[];
  /** Requests a minute of one principal, per process; 0 sets no limit. */
  readonly rateLimit: number;
  /** Seconds a request may take. */
  readonly requestTimeoutSeconds: number;
  /** Reverse proxies in front, whose X-Forwarded-For is believed. */
  readonly trustProxy: number;
  /** The path below which everything is served, such as /ops/carillon/; begins and ends with a slash. */
  readonly basePath: string;
}

const url = z.url({ protocol: /^https?$/, error: "must be an http:// or https:// URL" });

const isOrigin = (text: string) => URL.canParse(text) && new URL(text).origin === text;

const list = z
  .string()
  .transform((text) => text.split(",").map((part) => part.trim()))
  .transform((parts) => parts.filter((part) => part !== ""));

/** Asymmetric only: a public key must never pass for a shared secret. */
const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"].concat(
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
);

/** The environment variables of the API, with every default. */
export const ApiEnvironment = z.object({
  CARILLON_JWT_SECRET: z.string().min(32, "must have at least 32 characters").optional(),
  CARILLON_JWKS_URL: url.optional(),
  CARILLON_JWT_ISSUER: z.string().min(1).optional(),
  CARILLON_JWT_AUDIENCE: z.string().min(1).optional(),
  CARILLON_JWT_ALGORITHMS: list
    .refine((names) => names.length > 0 && names.every((name) => ALGORITHMS.includes(name)), {
      error: `must be some of ${ALGORITHMS.join(", ")}`,
    })
    .default(["RS256", "ES256", "EdDSA"]),
  CARILLON_JWT_TOLERANCE: z.coerce.number().int().min(0).max(300).default(30),
  CARILLON_WHOAMI_URL: url.optional(),
  CARILLON_SESSION_COOKIE: z
    .string()
    .regex(/^[\w!#$%&'*+.^`|~-]{1,100}$/, "must be the name of a cookie")
    .default("ory_kratos_session"),
  CARILLON_SESSION_TTL: z.coerce.number().min(0).max(300).default(10),
  CARILLON_WHOAMI_TIMEOUT: z.coerce.number().min(0.1).max(30).default(3),
  CARILLON_PROVISION: z.enum(["on", "off"]).default("off"),
  CARILLON_PROVISION_ROLES: list.default([]),
  CARILLON_CORS_ORIGINS: list
    .refine((origins) => origins.every(isOrigin), {
      error: "must be origins such as https://ops.example.com, separated by commas",
    })
    .default([]),
  CARILLON_RATE_LIMIT: z.coerce.number().int().min(0).max(10_000_000).default(6000),
  CARILLON_REQUEST_TIMEOUT: z.coerce.number().int().min(1).max(600).default(30),
  CARILLON_TRUST_PROXY: z.coerce.number().int().min(0).max(10).default(0),
  CARILLON_BASE_PATH: z
    .string()
    .regex(/^\/([\w.~-]+\/)*$/, "must begin and end with a slash, such as /ops/carillon/")
    .default("/"),
});

/** What of the environment belongs together but does not fit, by variable. */
export function contradictions(e: z.output<typeof ApiEnvironment>): [string, string][] {
  const found: [string, string][] = [];
  const jwt = e.CARILLON_JWT_SECRET !== undefined || e.CARILLON_JWKS_URL !== undefined;
  if (e.CARILLON_JWT_SECRET !== undefined && e.CARILLON_JWKS_URL !== undefined) {
    found.push(["CARILLON_JWT_SECRET", "and CARILLON_JWKS_URL exclude each other"]);
  }
  for (const name of ["CARILLON_JWT_ISSUER", "CARILLON_JWT_AUDIENCE"] as const) {
    if (jwt && e[name] === undefined) found.push([name, "is required to accept tokens"]);
    if (!jwt && e[name] !== undefined) {
      found.push([name, "needs CARILLON_JWT_SECRET or CARILLON_JWKS_URL"]);
    }
  }
  return found;
}

/** The API's settings from its environment variables. */
export function toApiSettings(e: z.output<typeof ApiEnvironment>): ApiSettings {
  return Object.freeze({
    jwt: jwtSettings(e),
    session:
      e.CARILLON_WHOAMI_URL === undefined
        ? undefined
        : {
            whoamiUrl: e.CARILLON_WHOAMI_URL,
            cookie: e.CARILLON_SESSION_COOKIE,
            rememberMs: e.CARILLON_SESSION_TTL * 1000,
            timeoutMs: e.CARILLON_WHOAMI_TIMEOUT * 1000,
          },
    provisionRoles: e.CARILLON_PROVISION === "on" ? e.CARILLON_PROVISION_ROLES : undefined,
    corsOrigins: e.CARILLON_CORS_ORIGINS,
    rateLimit: e.CARILLON_RATE_LIMIT,
    requestTimeoutSeconds: e.CARILLON_REQUEST_TIMEOUT,
    trustProxy: e.CARILLON_TRUST_PROXY,
    basePath: e.CARILLON_BASE_PATH,
  });
}

function jwtSettings(e: z.output<typeof ApiEnvironment>): JwtSettings | undefined {
  const { CARILLON_JWT_SECRET: secret, CARILLON_JWKS_URL: jwksUrl } = e;
  if (secret === undefined && jwksUrl === undefined) return undefined;
  return {
    issuer: e.CARILLON_JWT_ISSUER ?? "",
    audience: e.CARILLON_JWT_AUDIENCE ?? "",
    keys: jwksUrl === undefined ? { secret: secret ?? "" } : { jwksUrl },
    algorithms: jwksUrl === undefined ? ["HS256"] : e.CARILLON_JWT_ALGORITHMS,
    toleranceSeconds: e.CARILLON_JWT_TOLERANCE,
    rotationMs: 30_000,
  };
}

/** What the API is served with where nothing is said. */
export const API_DEFAULTS: ApiSettings = toApiSettings(ApiEnvironment.parse({}));
