import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type JWTPayload } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Problem } from "../../src/api/shapes/problem.js";
import { startServer, type ApiServer } from "../../src/api/server.js";
import type { ApiSettings, JwtSettings } from "../../src/config-api.js";
import { linkIdentity, listIdentities, unlinkIdentity } from "../../src/db/identities.js";
import { setPrincipalEnabled } from "../../src/db/principals.js";
import { Issuer } from "../helpers/issuer.js";
import { type Caller, TestApi } from "./api.js";

const ISSUER = "https://id.example.com/";
const AUDIENCE = "carillon";
const SECRET = "a secret of more than thirty-two characters";
const silent = () => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };

let api: TestApi;
let ada: Caller;
beforeAll(async () => {
  api = await TestApi.start();
  await api.install("crm");
  ada = await api.caller("ada", ["app:crm:*"]);
  await linkIdentity(api.sql, ada.id, { issuer: ISSUER, subject: "ada-1" });
  await linkIdentity(api.sql, ada.id, { issuer: "session", subject: "kratos-ada" });
});
afterAll(() => api[Symbol.asyncDispose]());

const serve = (settings: Partial<ApiSettings>) =>
  startServer({ sql: api.sql, host: "127.0.0.1", port: 0, log, settings });

async function ask(server: ApiServer, headers: Record<string, string>, method = "GET") {
  const response = await fetch(
    `${server.url}/api/v1/apps/crm/${method === "GET" ? "crons" : "jobs"}`,
    {
      method,
      headers,
    },
  );
  const text = await response.text();
  return {
    status: response.status,
    text,
    problem: JSON.parse(text) as Problem,
    headers: response.headers,
  };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

const jwtSettings = (keys: JwtSettings["keys"], algorithms: string[]): JwtSettings => ({
  ...{ issuer: ISSUER, audience: AUDIENCE, keys, algorithms },
  ...{ toleranceSeconds: 5, rotationMs: 0 },
});

const claims = { iss: ISSUER, aud: AUDIENCE, sub: "ada-1" };
const token = (
  payload: Record<string, unknown> = {},
  alg = "HS256",
  key = new TextEncoder().encode(SECRET),
) =>
  new SignJWT({ ...claims, exp: Math.floor(Date.now() / 1000) + 60, ...payload })
    .setProtectedHeader({ alg })
    .sign(key);

describe("a token by a shared secret", () => {
  let server: ApiServer;
  beforeAll(async () => {
    server = await serve({ jwt: jwtSettings({ secret: SECRET }, ["HS256"]) });
  });
  afterAll(() => server.close());

  test("acts as the principal it is linked to", async () => {
    expect((await ask(server, bearer(await token()))).status).toBe(200);
    const list = await token({ aud: ["other", AUDIENCE] });
    expect((await ask(server, bearer(list))).status).toBe(200);
    const me = await fetch(`${server.url}/api/v1/me`, { headers: bearer(await token()) });
    expect(await me.json()).toMatchObject({ principal: { id: ada.id }, key: null });
  });

  test("is held to its clock, give or take the tolerance", async () => {
    const now = Math.floor(Date.now() / 1000);
    expect((await ask(server, bearer(await token({ exp: now - 2 })))).status).toBe(200);
    expect((await ask(server, bearer(await token({ nbf: now + 2 })))).status).toBe(200);
    const late = await ask(server, bearer(await token({ exp: now - 60 })));
    expect([late.status, late.problem.detail]).toEqual([401, "the token has expired"]);
    expect(late.headers.get("www-authenticate")).toContain('error="invalid_token"');
    const early = await ask(server, bearer(await token({ nbf: now + 60 })));
    expect([early.status, early.problem.detail]).toEqual([
      401,
      "the token's nbf is missing or not accepted here",
    ]);
  });

  const bad: [string, () => Promise<string> | string, string][] = [
    ["another issuer", () => token({ iss: "https://evil.example.com/" }), "iss"],
    ["another audience", () => token({ aud: "other" }), "aud"],
    ["no expiry", () => token({ exp: undefined }), "exp"],
    ["no subject", () => token({ sub: undefined }), "sub"],
    ["an empty subject", () => token({ sub: "" }), "sub"],
    ["an unknown subject", () => token({ sub: "mallory" }), "no principal is linked"],
    ["another's name", () => token({ sub: "x", preferred_username: "ada" }), "no principal"],
    [
      "another secret",
      () => token({}, "HS256", new TextEncoder().encode("x".repeat(40))),
      "signature",
    ],
    ["another algorithm", () => token({}, "HS512"), "algorithm"],
    ["no algorithm", () => new UnsecuredJWT({ ...claims, exp: 4e9 }).encode(), "not an API key"],
    ["none by hand", () => `${btoa('{"alg":"none"}').replace(/=/g, "")}.e30.x`, "algorithm"],
    ["garbage in the form of a token", () => "aaa.bbb.ccc", "not a valid one"],
  ];
  test.each(bad)("with %s is refused", async (_, make, reason) => {
    const answer = await ask(server, bearer(await make()));
    expect(answer.status).toBe(401);
    expect(answer.problem.code).toBe("unauthenticated");
    expect(answer.problem.detail).toContain(reason);
    expect(answer.text).not.toContain("mallory");
  });

  test("changed by one bit is refused", async () => {
    const [head = "", , signature = ""] = (await token()).split(".");
    const forged = btoa(JSON.stringify({ ...claims, exp: 4e9, sub: "boss" })).replace(/=/g, "");
    expect((await ask(server, bearer(`${head}.${forged}.${signature}`))).status).toBe(401);
  });

  test("of a disabled principal is refused until it is enabled again, and of an unlinked one", async () => {
    const bob = await api.caller("bob", ["app:crm:*"]);
    await linkIdentity(api.sql, bob.id, { issuer: ISSUER, subject: "bob-1" });
    const his = bearer(await token({ sub: "bob-1" }));
    expect((await ask(server, his)).status).toBe(200);
    await setPrincipalEnabled(api.sql, bob.id, false);
    expect((await ask(server, his)).status).toBe(401);
    await setPrincipalEnabled(api.sql, bob.id, true);
    expect((await ask(server, his)).status).toBe(200);
    await unlinkIdentity(api.sql, bob.id, { issuer: ISSUER, subject: "bob-1" });
    expect((await ask(server, his)).status).toBe(401);
  });

  test("leaves API keys as good as they were, and both say what is missing", async () => {
    expect((await ask(server, bearer(api.admin.key))).status).toBe(200);
    const none = await ask(server, {});
    expect(none.problem.detail).toContain("an API key (crl_…), or a token");
    expect((await ask(server, bearer("hello"))).status).toBe(401);
  });
});

describe("linking", () => {
  const identity = { issuer: ISSUER, subject: "carol-1" };
  const path = (id: string) => `/api/v1/principals/${id}/identities`;

  test("over the API, and no longer, is on record", async () => {
    const carol = await api.caller("carol", ["app:crm:*"]);
    const linked = await api.as(api.admin, "PUT", path(carol.id), { body: identity });
    expect(linked.body).toMatchObject([identity]);
    const again = await api.as(api.admin, "PUT", path(carol.id), { body: identity });
    expect(again.body).toEqual(linked.body);
    expect((await api.as(api.admin, "GET", path(carol.id))).body).toEqual(linked.body);
    const other = await api.caller("dave", []);
    const taken = await api.as(api.admin, "PUT", path(other.id), { body: identity });
    expect([taken.status, (taken.body as Problem).code]).toEqual([400, "name_taken"]);
    const query = `?issuer=${encodeURIComponent(ISSUER)}&subject=carol-1`;
    for (let n = 0; n < 2; n++) {
      const unlinked = await api.as(api.admin, "DELETE", path(carol.id) + query);
      expect([unlinked.status, unlinked.body]).toEqual([200, []]);
    }
    const log = await api.as(api.admin, "GET", "/api/v1/audit?limit=10");
    const { items } = log.body as { items: { action: string; object: { name: string } }[] };
    expect(
      items.filter(({ object }) => object.name === "carol").map(({ action }) => action),
    ).toEqual(["principal.unlink", "principal.link", "principal.create"]);
  });

  test("gives nobody more than who links it holds", async () => {
    const clerk = await api.caller("clerk", ["system:principal.write"]);
    const mine = { issuer: ISSUER, subject: "clerk-at-home" };
    for (const { id } of [api.admin, ada]) {
      expect((await api.as(clerk, "PUT", path(id), { body: mine })).status).toBe(403);
    }
    const mighty = await api.as(clerk, "PUT", path(clerk.id), { body: mine });
    expect(mighty.status).toBe(200);
    const [system] = await api.sql<{ id: string }[]>`
      select id from carillon.principals where kind = 'system'`;
    const theirs = { issuer: ISSUER, subject: "system" };
    const refused = await api.as(api.admin, "PUT", path(system?.id ?? ""), { body: theirs });
    expect(refused.status).toBe(403);
  });
});

describe("a token by published keys", () => {
  let server: ApiServer;
  let issuer: Issuer;
  const pair = async (kid: string, alg: "RS256" | "ES256") => {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: "sig" };
    const sign = (payload: JWTPayload = {}) =>
      new SignJWT({ ...claims, exp: 4e9, ...payload })
        .setProtectedHeader({ alg, kid })
        .sign(privateKey);
    return { jwk, sign };
  };
  let first: Awaited<ReturnType<typeof pair>>;
  let second: Awaited<ReturnType<typeof pair>>;

  beforeAll(async () => {
    [first, second] = await Promise.all([pair("k1", "RS256"), pair("k2", "ES256")]);
  });
  beforeEach(async () => {
    issuer = await Issuer.start();
    issuer.json(200, { keys: [first.jwk] });
    const keys = { jwksUrl: `${issuer.url}/jwks.json` };
    server = await serve({ jwt: jwtSettings(keys, ["RS256", "ES256"]) });
    return async () => {
      await server.close();
      await issuer[Symbol.asyncDispose]();
    };
  });

  test("is accepted, with the keys fetched once", async () => {
    const all = await Promise.all(
      Array.from({ length: 20 }, async () => ask(server, bearer(await first.sign()))),
    );
    expect(all.every(({ status }) => status === 200)).toBe(true);
    expect(issuer.seen.length).toBe(1);
  });

  test("by a key that is new since is accepted, and by one that has gone is not", async () => {
    expect((await ask(server, bearer(await first.sign()))).status).toBe(200);
    issuer.json(200, { keys: [second.jwk] });
    expect((await ask(server, bearer(await second.sign()))).status).toBe(200);
    const gone = await ask(server, bearer(await first.sign()));
    expect([gone.status, gone.problem.detail]).toEqual([
      401,
      "the token is signed with a key that its issuer does not publish",
    ]);
  });

  test("signed by the public key as if that were a secret is refused", async () => {
    const secret = new TextEncoder().encode(JSON.stringify(first.jwk));
    const answer = await ask(server, bearer(await token({}, "HS256", secret)));
    expect([answer.status, answer.problem.detail]).toEqual([
      401,
      "the token's algorithm is not accepted here",
    ]);
    expect(issuer.seen.length).toBe(0);
  });

  test.each([
    ["is down", (at: Issuer) => at.json(500, {})],
    [
      "redirects",
      (at: Issuer) => (at.answer = (_, r) => r.writeHead(302, { location: "/x" }).end()),
    ],
    ["answers something else", (at: Issuer) => at.json(200, { hello: 1 })],
    ["hangs up", (at: Issuer) => (at.answer = (r) => r.socket.destroy())],
  ])("is 503, and nobody is let in, while the issuer %s", async (_, fail) => {
    fail(issuer);
    const answer = await ask(server, bearer(await first.sign()));
    expect(answer.status).toBe(503);
    expect(answer.problem.code).toBe("identity_unavailable");
    expect(answer.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(answer.text).not.toContain(issuer.url);
    expect((await ask(server, bearer(api.admin.key))).status).toBe(200);
    issuer.json(200, { keys: [first.jwk] });
    expect((await ask(server, bearer(await first.sign()))).status).toBe(200);
  });
});

describe("somebody new here", () => {
  test("is made a principal once where the settings say so, with their roles, and nobody else", async () => {
    await api.sql`select carillon.create_role('reader', '{app:crm:cron.read}')`;
    const jwt = jwtSettings({ secret: SECRET }, ["HS256"]);
    await using server = await serve({ jwt, provisionRoles: ["reader"] });
    const newcomer = bearer(await token({ sub: "new-1", preferred_username: "Zoë Quinn" }));
    const all = await Promise.all(Array.from({ length: 5 }, () => ask(server, newcomer)));
    expect(all.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const made = await api.sql<{ id: string; username: string }[]>`
      select id, username from carillon.principals where username like 'Zo%'`;
    expect(made.map(({ username }) => username)).toEqual(["Zo--Quinn"]);
    expect(await listIdentities(api.sql, made[0]?.id ?? "")).toMatchObject([
      { issuer: ISSUER, subject: "new-1" },
    ]);
    expect((await ask(server, newcomer, "POST")).problem.missing).toBe("app:crm:invoke");
    // The issuer's name for somebody is no claim to a principal of that name.
    const impostor = bearer(await token({ sub: "new-2", preferred_username: "boss" }));
    expect((await ask(server, impostor)).status).toBe(200);
    expect((await ask(server, impostor, "POST")).status).toBe(403);
    // Whoever is disabled does not come back as somebody new.
    await setPrincipalEnabled(api.sql, made[0]?.id ?? "", false);
    expect((await ask(server, newcomer)).status).toBe(401);
  });
});

describe("a session cookie", () => {
  let server: ApiServer;
  let kratos: Issuer;
  const session = (more: object = {}) => ({
    id: "s1",
    active: true,
    expires_at: "2099-01-01T00:00:00Z",
    identity: { id: "kratos-ada", state: "active", traits: { email: "ada@example.com" } },
    ...more,
  });
  const cookie = (value = "good", more: Record<string, string> = {}) => ({
    cookie: `theme=dark; ory_kratos_session=${value}; csrf=1`,
    ...more,
  });
  const sameOrigin = { "sec-fetch-site": "same-origin" };

  beforeEach(async () => {
    kratos = await Issuer.start();
    kratos.json(200, session());
    server = await serve({
      session: {
        whoamiUrl: `${kratos.url}/sessions/whoami`,
        cookie: "ory_kratos_session",
        rememberMs: 60_000,
        timeoutMs: 300,
      },
      corsOrigins: ["https://ops.example.com"],
    });
    return async () => {
      await server.close();
      await kratos[Symbol.asyncDispose]();
    };
  });

  test("acts as the principal it is linked to; only that cookie goes to its server, once", async () => {
    const all = await Promise.all(Array.from({ length: 10 }, () => ask(server, cookie())));
    expect(all.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect((await ask(server, cookie())).status).toBe(200);
    expect(kratos.seen.length).toBe(1);
    expect(kratos.seen[0]?.url).toBe("/sessions/whoami");
    expect(kratos.seen[0]?.headers.cookie).toBe("ory_kratos_session=good");
    expect(kratos.seen[0]?.headers.authorization).toBeUndefined();
    expect((await ask(server, cookie("another"))).status).toBe(200);
    expect(kratos.seen.length).toBe(2);
  });

  test("that its server does not know is refused, and its server not asked again", async () => {
    kratos.json(401, { error: { reason: "No valid session cookie found." } });
    for (let n = 0; n < 3; n++) {
      const answer = await ask(server, cookie("bad"));
      expect(answer.status).toBe(401);
      expect(answer.problem.detail).toBe("the session is not valid, or has ended");
    }
    expect(kratos.seen.length).toBe(1);
  });

  test.each([
    ["is not active", session({ active: false })],
    ["has expired", session({ expires_at: "2020-01-01T00:00:00Z" })],
    ["expires at no time", session({ expires_at: "soon" })],
    ["is of an inactive identity", session({ identity: { id: "kratos-ada", state: "inactive" } })],
    ["is of an unknown identity", session({ identity: { id: "kratos-eve" } })],
  ])("that %s is refused", async (_, body) => {
    kratos.json(200, body);
    expect((await ask(server, cookie())).status).toBe(401);
  });

  test("is not remembered beyond its end", async () => {
    kratos.json(200, session({ expires_at: new Date(Date.now() + 400).toISOString() }));
    expect((await ask(server, cookie())).status).toBe(200);
    await expect.poll(async () => (await ask(server, cookie())).status).toBe(401);
  });

  test.each([
    ["is down", (at: Issuer) => at.json(502, {})],
    [
      "redirects to a login",
      (at: Issuer) => (at.answer = (_, r) => r.writeHead(303, { location: "/" }).end()),
    ],
    ["answers a page", (at: Issuer) => (at.answer = (_, r) => r.end("<html>"))],
    ["answers something else", (at: Issuer) => at.json(200, { ok: true })],
    ["hangs up", (at: Issuer) => (at.answer = (r) => r.socket.destroy())],
    ["does not answer", (at: Issuer) => (at.answer = () => undefined)],
  ])("is 503, and nobody is let in, while its server %s", async (_, fail) => {
    fail(kratos);
    const answer = await ask(server, cookie());
    expect(answer.status).toBe(503);
    expect(answer.problem.code).toBe("identity_unavailable");
    expect(answer.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(answer.text).not.toContain(kratos.url);
    kratos.json(200, session());
    await expect
      .poll(async () => (await ask(server, cookie())).status, { timeout: 5000 })
      .toBe(200);
  });

  test("sent twice with two values is somebody's trick", async () => {
    const headers = { cookie: "ory_kratos_session=a; ory_kratos_session=b" };
    expect((await ask(server, headers)).status).toBe(401);
    expect(kratos.seen.length).toBe(0);
  });

  test("does not make up for a bad key", async () => {
    expect((await ask(server, cookie("good", bearer("crl_bad")))).status).toBe(401);
  });

  describe("changes nothing for a page of another site", () => {
    const own = () => new URL(server.url).host;
    const jobs = async () => {
      const [row] = await api.sql<{ n: number }[]>`select count(*) as n from pgmq.q_jobs`;
      return row?.n;
    };

    test.each<[string, () => Record<string, string>]>([
      ["a page of its own", () => sameOrigin],
      ["an older browser's own page", () => ({ origin: `http://${own()}` })],
      ["the same behind a proxy that ends TLS", () => ({ origin: `https://${own()}` })],
      [
        "an origin that is listed",
        () => ({ origin: "https://ops.example.com", "sec-fetch-site": "cross-site" }),
      ],
    ])("but for %s", async (_, headers) => {
      expect((await ask(server, cookie("good", headers()), "POST")).status).toBe(201);
    });

    test.each<[string, Record<string, string>]>([
      ["from another site", { "sec-fetch-site": "cross-site", origin: "https://evil.example.com" }],
      [
        "from a neighbour's subdomain",
        { "sec-fetch-site": "same-site", origin: "http://a.localhost" },
      ],
      ["typed into the address bar", { "sec-fetch-site": "none" }],
      ["by an older browser from another site", { origin: "https://evil.example.com" }],
      ["from a sandboxed page", { origin: "null" }],
      ["that says nothing of where it is from", {}],
      ["whose origin is no URL", { origin: "carillon" }],
    ])("nor for one %s", async (_, headers) => {
      const before = await jobs();
      const answer = await ask(server, cookie("good", headers), "POST");
      expect(answer.status).toBe(403);
      expect(answer.problem.code).toBe("cross_site");
      expect(kratos.seen.length).toBe(0);
      expect(await jobs()).toBe(before);
      // To read is allowed: without CORS the other site cannot see the answer.
      expect((await ask(server, cookie("good", headers))).status).toBe(200);
    });

    test("but with a key, which no browser adds by itself, it does not matter", async () => {
      const headers = { ...bearer(api.admin.key), origin: "https://evil.example.com" };
      expect((await ask(server, headers, "POST")).status).toBe(201);
    });
  });
});
