import { CarillonApiError, createClient, type CarillonClient, type Output } from "carillon/client";
import { BASE } from "../config.js";
import { createStore, useStore } from "../store.js";
import { learnClock } from "../time/clock.js";
import { grants } from "./permissions.js";

export type Me = Output<"GET /api/v1/me">;

/** Who uses the page. */
export type Session =
  | { status: "starting" }
  | { status: "out"; problem?: string }
  | { status: "unreachable"; problem: string }
  | { status: "in"; me: Me; expired: boolean };

const KEY = "carillon.key";

export const session = createStore<Session>({ status: "starting" });

let current = clientFor(undefined);

/** The API, as whoever is signed in. */
export const client = (): CarillonClient => current;

function clientFor(key: string | undefined): CarillonClient {
  return createClient({
    url: BASE,
    key,
    credentials: "same-origin",
    // People see a failure sooner than programs; what is polled is asked for again anyway.
    maxRetries: 1,
    fetch: async (input, init) => {
      const sent = Date.now();
      const response = await fetch(input, init);
      learnClock(response.headers.get("date"), sent, Date.now());
      return response;
    },
  });
}

/** Finds out who this is: by the key of this tab, or by the cookie of the site. */
export async function startSession(): Promise<void> {
  const key = keptKey();
  current = clientFor(key);
  try {
    session.set({ status: "in", me: await current.system.me(), expired: false });
  } catch (error) {
    const refused = error instanceof CarillonApiError && error.status === 401;
    if (!refused) {
      session.set({ status: "unreachable", problem: (error as Error).message });
      return;
    }
    keepKey(undefined);
    current = clientFor(undefined);
    session.set(
      key === undefined
        ? { status: "out" }
        : { status: "out", problem: "The key of this tab is no longer valid." },
    );
  }
}

/**
 * Signs in by a key, which this tab keeps until it is closed.
 *
 * @throws CarillonApiError for a key that is none
 */
export async function signIn(key: string): Promise<void> {
  const made = clientFor(key);
  const me = await made.system.me();
  current = made;
  keepKey(key);
  session.set({ status: "in", me, expired: false });
}

/**
 * Goes on by the cookie, which somebody may have renewed elsewhere.
 *
 * @throws CarillonApiError while it is no good
 */
export async function resumeSession(): Promise<void> {
  const me = await current.system.me();
  session.set({ status: "in", me, expired: false });
}

export function signOut(): void {
  keepKey(undefined);
  current = clientFor(undefined);
  session.set({ status: "out" });
}

/** After a 401: the page stays as it is, behind the question for a new key. */
export function expireSession(): void {
  const now = session.get();
  if (now.status === "in" && !now.expired) session.set({ ...now, expired: true });
}

export function useSession(): Session {
  return useStore(session);
}

/** Who is signed in; only below the gate. */
export function useMe(): Me {
  const now = useSession();
  if (now.status !== "in") throw new Error("nobody is signed in");
  return now.me;
}

/** Whether whoever is signed in holds a permission, such as `app:crm:cron.write`. */
export function useGrants(): (permission: string) => boolean {
  const { permissions } = useMe();
  return (permission) => grants(permissions, permission);
}

// Gone with the tab, and never sent anywhere but to this site. Storage may be closed to the page.
function keptKey(): string | undefined {
  try {
    return sessionStorage.getItem(KEY) ?? undefined;
  } catch {
    return undefined;
  }
}

function keepKey(key: string | undefined): void {
  try {
    if (key === undefined) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, key);
  } catch {
    // Then it lasts until the page is left.
  }
}
