import { createHash } from "node:crypto";
import type { Request } from "express";
import { z } from "zod";
import type { SessionSettings } from "../../config-api.js";
import type { CarillonError } from "../../errors.js";
import { refuseCrossSite } from "./cross-site.js";
import type { Resolve, Vouched } from "./identity.js";
import { identityUnavailable, unauthenticated, type AmbientLink } from "./link.js";

/** What a who-am-I URL answers, of what Ory Kratos does: the parts that matter here. */
const Session = z.object({
  active: z.boolean().optional(),
  expires_at: z.string().optional(),
  identity: z.object({
    id: z.string().min(1).max(255),
    state: z.string().optional(),
    traits: z.unknown().optional(),
  }),
});

/** Under this issuer identities of sessions are linked: there is one server of them, wherever it is. */
export const SESSION_ISSUER = "session";

/** How many sessions are remembered at most. */
const MOST = 10_000;
/** Milliseconds for which a server that failed is not asked about the same cookie again. */
const FAILURE_MS = 1000;

interface Remembered {
  answer: Promise<Vouched>;
  until: number;
}

/** A session cookie, checked with the server that gave it. */
export function sessionCookies(
  settings: SessionSettings,
  ownOrigins: readonly string[],
  resolve: Resolve,
): AmbientLink {
  const remembered = new Map<string, Remembered>();

  const ask = (cookie: string): Promise<Vouched> => {
    // By its hash: a heap dump should not hold everybody's session.
    const id = createHash("sha256").update(cookie).digest("base64");
    const known = remembered.get(id);
    if (known !== undefined && known.until > Date.now()) return known.answer;
    const entry: Remembered = { answer: whoami(settings, cookie, until), until: Infinity };
    function until(time: number) {
      entry.until = Math.min(time, Date.now() + settings.rememberMs);
    }
    entry.answer.catch((error: unknown) => {
      const ours = (error as CarillonError).code === "identity_unavailable";
      until(ours ? Date.now() + FAILURE_MS : Infinity);
    });
    remembered.delete(id);
    remembered.set(id, entry);
    // A map gives its keys in the order they came: the oldest goes first.
    for (const oldest of remembered.keys()) {
      if (remembered.size <= MOST) break;
      remembered.delete(oldest);
    }
    return entry.answer;
  };

  return {
    name: `the session cookie ${settings.cookie}`,
    authenticate: async (request) => {
      const cookie = cookieOf(request, settings.cookie);
      if (cookie === undefined) return undefined;
      refuseCrossSite(request, ownOrigins);
      return resolve(await ask(cookie));
    },
  };
}

/** Two of one name are somebody's attempt to slip his own in. */
function cookieOf(request: Request, name: string): string | undefined {
  const found = (request.headers.cookie ?? "")
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  if (new Set(found).size > 1) throw unauthenticated(`more than one cookie ${name} was sent`);
  const [value] = found;
  return value === "" ? undefined : value;
}

/** Asks whose session it is; tells how long the answer holds. Anything unclear lets nobody in. */
async function whoami(
  { whoamiUrl, cookie: name, timeoutMs }: SessionSettings,
  cookie: string,
  until: (time: number) => void,
): Promise<Vouched> {
  const unavailable = (why: string, cause?: unknown) =>
    identityUnavailable(`the session cannot be checked: ${why}`, cause);
  const response = await fetch(whoamiUrl, {
    headers: { accept: "application/json", cookie: `${name}=${cookie}` },
    redirect: "manual",
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((error: unknown) => {
    throw unavailable("its server does not answer", error);
  });
  if (response.status === 401 || response.status === 403) {
    await response.body?.cancel();
    throw unauthenticated("the session is not valid, or has ended", "sign in again");
  }
  if (response.status !== 200) {
    await response.body?.cancel();
    throw unavailable(`its server answered ${response.status}`, undefined);
  }
  const body: unknown = await response.json().catch((error: unknown) => {
    throw unavailable("its server did not answer with JSON", error);
  });
  const parsed = Session.safeParse(body);
  if (!parsed.success) throw unavailable("its server answered no session", parsed.error);
  const { active = true, expires_at: end, identity } = parsed.data;
  const expires = end === undefined ? Infinity : Date.parse(end);
  if (!active || (identity.state ?? "active") !== "active" || !(expires > Date.now())) {
    throw unauthenticated("the session is not valid, or has ended", "sign in again");
  }
  until(expires);
  return { issuer: SESSION_ISSUER, subject: identity.id, username: nameIn(identity) };
}

const Traits = z.object({ username: z.string().optional(), email: z.string().optional() });

function nameIn({ id, traits }: { id: string; traits?: unknown }): string {
  const known = Traits.safeParse(traits);
  return (known.success ? (known.data.username ?? known.data.email) : undefined) ?? id;
}
