import { afterAll, beforeAll, expect, test } from "vitest";
import { fillPermission } from "../../src/api/permissions.js";
import type { Access, Route } from "../../src/api/route.js";
import { ROUTES } from "../../src/api/routes/index.js";
import { revokeApiKey } from "../../src/db/api-keys.js";
import { createPrincipal, setPrincipalEnabled } from "../../src/db/principals.js";
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
  for (const { appId } of all) await api.install(appId);
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

/** A route, and an app of its own, in which nothing else happens. */
interface Case {
  name: string;
  route: Route;
  appId: string;
  /** The one permission it asks for, in that app. */
  permission: string;
}

const all = ROUTES.map((route, at): Case => {
  const appId = `app-${at}`;
  return {
    name: label(route),
    route,
    appId,
    permission: fillPermission(route.permission, { appId }),
  };
});
const open = all.filter(({ route }) => route.permission === "public");
const closed = all.filter(({ route }) => route.permission !== "public");
const guarded = all.filter(({ permission }) => /^(app|system):/.test(permission));
const demanding = guarded.filter(({ route }) => route.alsoNeeds !== undefined);

const sampleFor = ({ route, appId }: Case) => sampleOf(api, route, appId);

test.each(closed)("$name is closed without credentials", async (one) => {
  const answer = await refused(await sampleFor(one));
  expect(answer.status).toBe(401);
  expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="carillon"');
  expect(problemOf(answer).code).toBe("unauthenticated");
});

test.each(closed)("$name is closed with a key that is no good any more", async (one) => {
  const sample = await sampleFor(one);
  for (const [why, caller] of Object.entries(useless)) {
    const answer = await refused(sample, caller);
    expect(answer.status, why).toBe(401);
    expect(answer.headers.get("www-authenticate")).toContain('error="invalid_token"');
  }
});

test.each(guarded)("$name is closed to another tenant", async (one) => {
  const answer = await refused(await sampleFor(one), stranger);
  const missing = one.permission;
  expect(answer.status).toBe(403);
  expect(problemOf(answer)).toMatchObject({ code: "permission_denied", missing });
  expect(answer.headers.get("www-authenticate")).toContain(`scope="${missing}"`);
});

test.each(guarded)("$name is closed to who may do all but this", async (one) => {
  const missing = one.permission;
  const rest = everythingIn(one.appId).filter((permission) => permission !== missing);
  const almost = await api.caller(`almost-${one.appId}`, [...rest, "app:other:*"]);
  const answer = await refused(await sampleFor(one), almost);
  expect(answer.status).toBe(403);
  expect(problemOf(answer)).toMatchObject({ code: "permission_denied", missing });
});

test.each(demanding)("$name is closed where it needs more, without that", async (one) => {
  const caller = await api.caller(`only-${one.appId}`, [one.permission]);
  const sample = await sampleFor(one);
  const robot = await createPrincipal(api.sql, `robot-${one.appId}`, { kind: "service" });
  // On another's behalf. What others need more for belongs to the administrator as it is.
  if (/\/jobs(\/batch)?$/.test(one.name)) {
    sample.body = { ...(sample.body as object), userId: api.admin.id };
  }
  if (one.name.endsWith("/crons")) sample.body = { ...(sample.body as object), runAs: robot };
  if (one.name.endsWith("/ticks")) sample.path += "?include=events";
  expect((await refused(sample, caller)).status).toBe(403);
});

test.each(all)("$name is open with just what it asks for", async (one) => {
  const caller = await api.caller(`exact-${one.appId}`, wanted(one.route, one.appId));
  if (one.name === "POST /api/v1/keys") {
    // Of keys, only the bootstrap key makes others.
    await api.sql`update carillon.api_keys set mints_keys = true where id = ${caller.keyId}`;
  }
  const { method, path, body } = await sampleFor(one);
  const answer = await api.as(caller, method, path, { body });
  expect(successOf(one.route), answer.text).toContain(answer.status);
});

test.each(open)("$name is open to everybody, whatever they send along", async (one) => {
  const { method, path, body } = await sampleFor(one);
  for (const caller of [stranger, useless.revoked]) {
    const answer = await api.as(caller, method, path, { body });
    expect(successOf(one.route), answer.text).toContain(answer.status);
  }
});
