import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generateKey } from "../../src/api/keys.js";
import { fillPermission } from "../../src/api/permissions.js";
import type { Access, Route } from "../../src/api/route.js";
import { ROUTES } from "../../src/api/routes/index.js";
import { createApiKey } from "../../src/db/api-keys.js";
import { revokeApiKey } from "../../src/db/api-keys.js";
import { setPrincipalEnabled } from "../../src/db/principals.js";
import { type Caller, problemOf, TestApi } from "./api.js";
import { fingerprint, label, sampleOf, type Sample } from "./samples.js";

/*
 * Every route × everybody who might call it. What is expected follows from the route table alone,
 * so that a route that is new is tested as well, or fails here for want of a sample.
 */

let api: TestApi;
let stranger: Caller;
let useless: Record<"expired" | "revoked" | "of a disabled user" | "of a deleted user", Caller>;

beforeAll(async () => {
  api = await TestApi.start();
  await api.install("other");
  stranger = await api.caller("stranger", ["app:other:*"]);
  const [expired, revoked, disabled, deleted] = await Promise.all([
    api.caller("expired", ["*"]),
    api.caller("revoked", ["*"]),
    api.caller("disabled", ["*"]),
    api.caller("deleted", ["*"]),
  ]);
  await api.sql`
    update carillon.api_keys set expires_at = now() - interval '1 second'
    where id = ${expired.keyId}`;
  await revokeApiKey(api.sql, revoked.keyId);
  await setPrincipalEnabled(api.sql, disabled.id, false);
  await api.sql`select carillon.delete_principal(${deleted.id})`;
  useless = { expired, revoked, "of a disabled user": disabled, "of a deleted user": deleted };
});
afterAll(() => api[Symbol.asyncDispose]());

/** What a route asks for besides being somebody, as held in an app. */
const wanted = (route: Route, appId: string) => {
  const all = [route.permission, ...(route.alsoNeeds ?? []).map(({ permission }) => permission)];
  const strings = all.filter((access) => access !== "public" && access !== "authenticated");
  return strings.map((access: Access) => fillPermission(access, { appId }));
};
const everythingIn = (appId: string) => [
  ...new Set(ROUTES.flatMap((route) => wanted(route, appId))),
];
const isGuarded = (route: Route) => /^(app|system):/.test(route.permission);

/** Sends a request that must change nothing. */
async function refused({ method, path, body }: Sample, caller?: Caller) {
  const before = await fingerprint(api.sql);
  const answer = caller
    ? await api.as(caller, method, path, { body })
    : await api.request(method, path, { body });
  expect(await fingerprint(api.sql)).toBe(before);
  return answer;
}

const successOf = (route: Route) => Object.keys(route.responses).map(Number);

const cases = ROUTES.map((route, at) => [label(route), route, `app-${at}`] as const);

describe.each(cases)("%s", (name, route, appId) => {
  const isPublic = route.permission === "public";
  const held = wanted(route, appId);
  const missing = fillPermission(route.permission, { appId });
  const sample = () => sampleOf(api, route, appId);
  beforeAll(() => api.install(appId));

  test.runIf(!isPublic)("is closed without credentials", async () => {
    const answer = await refused(await sample());
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="carillon"');
    expect(problemOf(answer).code).toBe("unauthenticated");
  });

  test.runIf(!isPublic)("is closed with a key that is no good any more", async () => {
    const good = await sample();
    for (const [why, caller] of Object.entries(useless)) {
      const answer = await refused(good, caller);
      expect(answer.status, why).toBe(401);
      expect(answer.headers.get("www-authenticate")).toContain('error="invalid_token"');
    }
  });

  test.runIf(isGuarded(route))("is closed to another tenant", async () => {
    const answer = await refused(await sample(), stranger);
    expect(answer.status).toBe(403);
    expect(problemOf(answer)).toMatchObject({ code: "permission_denied", missing });
    expect(answer.headers.get("www-authenticate")).toContain(`scope="${missing}"`);
  });

  test.runIf(isGuarded(route))("is closed to who may do all but this", async () => {
    const rest = everythingIn(appId).filter((permission) => permission !== missing);
    const almost = await api.caller(`almost-${appId}`, [...rest, "app:other:*"]);
    const answer = await refused(await sample(), almost);
    expect(answer.status).toBe(403);
    expect(problemOf(answer)).toMatchObject({ code: "permission_denied", missing });
  });

  test("is open with just what it asks for", async () => {
    const caller = await api.caller(`exact-${appId}`, held);
    if (name === "POST /api/v1/keys") {
      // Of keys, only the bootstrap key makes others.
      const { key, prefix, hash } = generateKey();
      const made = { principalId: caller.id, name: "bootstrap", prefix, hash };
      const keyId = await createApiKey(api.sql, made);
      await api.sql`update carillon.api_keys set mints_keys = true where id = ${keyId}`;
      caller.key = key;
    }
    const { method, path, body } = await sample();
    const answer = await api.as(caller, method, path, { body });
    expect(successOf(route), answer.text).toContain(answer.status);
  });

  test.runIf(route.alsoNeeds !== undefined && isGuarded(route))(
    "is closed where it needs more, without that",
    async () => {
      const caller = await api.caller(`only-${appId}`, [missing]);
      const theirs = await sample();
      // What others need more for belongs to the administrator as it is.
      if (name.endsWith("/jobs")) theirs.body = { userId: api.admin.id };
      const answer = await refused(theirs, caller);
      expect(answer.status).toBe(403);
    },
  );

  test.runIf(isPublic)("is open to everybody, whatever they send along", async () => {
    const { method, path, body } = await sample();
    for (const caller of [stranger, useless.revoked]) {
      const answer = await api.as(caller, method, path, { body });
      expect(successOf(route), answer.text).toContain(answer.status);
    }
  });
});
