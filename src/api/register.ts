import type { Express, Request, RequestHandler, Response } from "express";
import type { Queryable, Sql } from "../db/connect.js";
import type { Principal } from "../db/principals.js";
import type { Transactions } from "../db/transactions.js";
import { CarillonError } from "../errors.js";
import { invalidInput, parseInput } from "../schedules/parse-input.js";
import { type Keyring, requireKeyring } from "../secrets/keyring.js";
import type { Authenticate } from "./auth/chain.js";
import { Nothing, readBody } from "./body.js";
import { etagOf, expectedVersion, isFresh } from "./conditional.js";
import { contextOf } from "./context.js";
import { withDeadline } from "./deadline.js";
import { idempotencyKeyOf, once, versionIn, type Answer } from "./once.js";
import { fillPermission, hasPermission } from "./permissions.js";
import { originOf } from "./origin.js";
import type { Limiter } from "./rate-limit.js";
import type { Access, Route } from "./route.js";
import {
  type EventsBody,
  type FileBody,
  lastEventId,
  sendEvents,
  sendFile,
  type StreamSettings,
} from "./streaming.js";

/** What answering any request takes. */
export interface Services {
  sql: Sql;
  transactions: Transactions;
  authenticate: Authenticate;
  limit: Limiter;
  /** What seals secrets, where there is a key for that. */
  keyring: Keyring | undefined;
  /** Milliseconds the work of a request may take. */
  timeoutMs: number;
  streams: StreamSettings;
}

/** Makes every route of the table answer, and every other method on its paths a 405. */
export function registerRoutes(app: Express, routes: readonly Route[], services: Services): void {
  const byPath = new Map<string, Route[]>();
  for (const route of routes) byPath.set(route.path, [...(byPath.get(route.path) ?? []), route]);
  for (const [path, there] of byPath) {
    const pattern = path.replace(/\{(\w+)\}/g, ":$1");
    for (const route of there) app[route.method](pattern, answer(route, services));
    app.all(pattern, refuseMethod(there));
  }
}

/** Who, how often, on what, may they, with what: and nothing is read before it is allowed. */
function answer(route: Route, services: Services): RequestHandler {
  return async (request, response) => {
    const principal = await callerOf(route, request, response, services);
    const params = parseInput(route.params, { ...request.params }, "path") as Record<
      string,
      unknown
    >;
    const demand = (access: Access) => {
      if (access === "public" || access === "authenticated") return;
      const permission = fillPermission(access, params);
      if (hasPermission(principal?.permissions ?? [], permission)) return;
      throw new CarillonError("permission_denied", `missing ${permission}`, {
        missing: permission,
      });
    };
    demand(route.permission);
    const query = parseInput(route.query, queryOf(request), "query");
    const changes = route.method !== "get";
    const keyring = () => requireKeyring(services.keyring);
    const call = {
      ...{ params, query, principal, demand, keyring },
      expectedVersion: changes ? expectedVersion(request, route.versioned === true) : undefined,
      body: changes ? await bodyOf(route, request, response) : undefined,
    };
    const streamed = Object.values(route.responses).some((shape) => "kind" in shape);
    if (streamed) {
      const reply = await withDeadline(
        route.handler({ sql: services.sql, ...call }),
        services.timeoutMs,
      );
      await stream(route, request, response, reply, services.streams);
      return;
    }
    const work = async (sql: Queryable): Promise<Answer> => {
      const { status, body } = await route.handler({ sql, ...call });
      const version = route.versioned ? versionIn(body) : undefined;
      return { status, text: JSON.stringify(body), version };
    };
    const told = ({ body }: { body: unknown }) =>
      route.takesSecret ? keyring().fingerprint(body) : body;
    const key = idempotencyKeyOf(request);
    const done =
      key === undefined || principal === undefined
        ? work(services.sql)
        : once(services.transactions, { request, route, principal, key, body: told(call) }, work);
    send(request, response, await withDeadline(done, services.timeoutMs));
  };
}

async function callerOf(
  route: Route,
  request: Request,
  response: Response,
  { authenticate, limit, timeoutMs }: Services,
): Promise<Principal | undefined> {
  if (route.permission === "public") return undefined;
  const context = contextOf(request);
  const caller = await withDeadline(authenticate(request), timeoutMs);
  const principal = { ...caller, origin: originOf(request, caller.keyId, context.id) };
  context.principal = principal;
  limit(principal.principalId, response);
  return principal;
}

/** Writes a stream for as long as it lasts: it has no tag, no deadline, and no second sending. */
async function stream(
  route: Route,
  request: Request,
  response: Response,
  { status, body }: { status: number; body: unknown },
  settings: StreamSettings,
): Promise<void> {
  response.status(status);
  const shape = route.responses[status];
  if (shape === undefined || !("kind" in shape)) response.json(body);
  else if (shape.kind === "file") await sendFile(response, body as FileBody);
  else await sendEvents(response, body as EventsBody, lastEventId(request), settings);
}

function send(request: Request, response: Response, { status, text, ...more }: Answer): void {
  if (more.replayed) response.set("idempotency-replayed", "true");
  if (request.method === "GET" || request.method === "HEAD" || more.version !== undefined) {
    const etag = etagOf(text, more.version);
    response.set("etag", etag);
    if (
      status === 200 &&
      (request.method === "GET" || request.method === "HEAD") &&
      isFresh(request, etag)
    ) {
      response.status(304).end();
      return;
    }
  }
  response.status(status).type("application/json").send(text);
}

function queryOf(request: Request): Record<string, unknown> {
  const query: Record<string, unknown> = { ...request.query };
  const twice = Object.keys(query).filter((name) => Array.isArray(query[name]));
  if (twice.length === 0) return query;
  throw invalidInput(twice.map((field) => ({ field, message: "must be given only once" })));
}

/** Where no body is asked for, none but an empty object is taken. */
async function bodyOf(route: Route, request: Request, response: Response): Promise<unknown> {
  const body = await readBody(request, response);
  if (route.body !== undefined) return parseInput(route.body, body, "body");
  parseInput(Nothing, body, "body");
  return undefined;
}

function refuseMethod(there: readonly Route[]): RequestHandler {
  const methods = there.map((route) => route.method.toUpperCase());
  if (methods.includes("GET")) methods.push("HEAD");
  const allow = [...methods, "OPTIONS"].join(", ");
  return (request, response) => {
    response.set("allow", allow);
    if (request.method === "OPTIONS") {
      response.status(204).end();
      return;
    }
    throw new CarillonError(
      "method_not_allowed",
      `${request.method} is not allowed here; allowed: ${allow}`,
    );
  };
}
