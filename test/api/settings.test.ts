import { describe, expect, test } from "vitest";
import { API_DEFAULTS } from "../../src/config-api.js";
import { readConfig } from "../../src/config.js";

const read = (env: Record<string, string>) => readConfig(env).api;

const faults = (env: Record<string, string>): string[] => {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    return (error as { fields: { field: string }[] }).fields.map(({ field }) => field);
  }
};

const SECRET = "s".repeat(32);
const jwt = { CARILLON_JWT_ISSUER: "https://id.example.com/", CARILLON_JWT_AUDIENCE: "carillon" };

describe("the settings of the API", () => {
  test("accept API keys alone, limit, and let no other site in, unless told otherwise", () => {
    expect(read({})).toEqual(API_DEFAULTS);
    expect(API_DEFAULTS).toEqual({
      jwt: undefined,
      session: undefined,
      provisionRoles: undefined,
      corsOrigins: [],
      rateLimit: 6000,
      requestTimeoutSeconds: 30,
      trustProxy: 0,
      basePath: "/",
    });
  });

  test("pin the algorithms: a secret is HS256, and a key set never a shared one", () => {
    expect(read({ ...jwt, CARILLON_JWT_SECRET: SECRET }).jwt).toMatchObject({
      keys: { secret: SECRET },
      algorithms: ["HS256"],
    });
    const keySet = { ...jwt, CARILLON_JWKS_URL: "https://id.example.com/jwks.json" };
    expect(read({ ...keySet, CARILLON_JWT_ALGORITHMS: "ES256, EdDSA" }).jwt).toMatchObject({
      keys: { jwksUrl: "https://id.example.com/jwks.json" },
      algorithms: ["ES256", "EdDSA"],
    });
    for (const names of ["HS256", "none", "RS256,HS512", "rs256", ","]) {
      expect(faults({ ...keySet, CARILLON_JWT_ALGORITHMS: names })).toEqual([
        "CARILLON_JWT_ALGORITHMS",
      ]);
    }
  });

  test("read sessions, origins and roles", () => {
    const settings = read({
      CARILLON_WHOAMI_URL: "http://kratos:4433/sessions/whoami",
      CARILLON_SESSION_TTL: "0.5",
      CARILLON_CORS_ORIGINS: "https://a.example.com, http://localhost:3000,",
      CARILLON_PROVISION: "on",
      CARILLON_PROVISION_ROLES: "reader, writer",
    });
    expect(settings).toMatchObject({
      session: { cookie: "ory_kratos_session", rememberMs: 500, timeoutMs: 3000 },
      corsOrigins: ["https://a.example.com", "http://localhost:3000"],
      provisionRoles: ["reader", "writer"],
    });
  });

  const wrong: [Record<string, string>, string[]][] = [
    [{ CARILLON_JWT_SECRET: SECRET }, ["CARILLON_JWT_ISSUER", "CARILLON_JWT_AUDIENCE"]],
    [{ ...jwt }, ["CARILLON_JWT_ISSUER", "CARILLON_JWT_AUDIENCE"]],
    [{ ...jwt, CARILLON_JWT_SECRET: "short" }, ["CARILLON_JWT_SECRET"]],
    [
      { ...jwt, CARILLON_JWT_SECRET: SECRET, CARILLON_JWKS_URL: "https://x.example.com" },
      ["CARILLON_JWT_SECRET"],
    ],
    [{ ...jwt, CARILLON_JWKS_URL: "file:///etc/passwd" }, ["CARILLON_JWKS_URL"]],
    [{ CARILLON_WHOAMI_URL: "kratos" }, ["CARILLON_WHOAMI_URL"]],
    [{ CARILLON_SESSION_COOKIE: "a b" }, ["CARILLON_SESSION_COOKIE"]],
    [{ CARILLON_CORS_ORIGINS: "*" }, ["CARILLON_CORS_ORIGINS"]],
    [{ CARILLON_CORS_ORIGINS: "https://a.example.com/" }, ["CARILLON_CORS_ORIGINS"]],
    [{ CARILLON_RATE_LIMIT: "-1" }, ["CARILLON_RATE_LIMIT"]],
    [{ CARILLON_REQUEST_TIMEOUT: "0" }, ["CARILLON_REQUEST_TIMEOUT"]],
    [{ CARILLON_TRUST_PROXY: "all" }, ["CARILLON_TRUST_PROXY"]],
  ];
  test.each(wrong)("%j is refused by name", (env, names) => {
    expect(faults(env)).toEqual(names);
  });

  test("that are wrong are not repeated in the message where they are secret", () => {
    try {
      readConfig({ CARILLON_JWT_SECRET: "hunter2" });
    } catch (error) {
      expect(String(error)).not.toContain("hunter2");
    }
  });
});
