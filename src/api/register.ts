import type { Express, Request, RequestHandler, Response } from "express";
import type { Sql } from "../db/connect.js";
import { CarillonError } from "../errors.js";
import { invalidInput, parseInput } from "../schedules/parse-input.js";
import { authenticate } from "./auth.js";
import { readBody } from "./body.js";
import { contextOf } from "./context.js";
import { fillPermission, hasPermission } from "./permissions.js";
import { originOf } from "./origin.js";
import type { Access, Route } from "./route.js";
import {
  type EventsBody,
  type FileBody,
  lastEventId,
  sendEvents,
  sendFile,
  type StreamSettings,
} from "./streaming.js";

/** Makes every route of the table answer, and every other method on its paths a 405. */
export function registerRoutes(
  app: Express,
  routes: readonly Route[],
  sql: Sql,
  streams: StreamSettings,
): void {
  const byPath = new Map<string, Route[]>();
  for (const route of routes) byPath.set(route.path, [...(byPath.get(route.path) ?? []), route]);
  for (const [path, there] of byPath) {
    const pattern = path.replace(/\{(\w+)\}/g, ":$1");
    for (const route of there) app[route.method](pattern, answer(route, sql, streams));
    app.all(pattern, refuseMethod(there));
  }
}

/** Who, on what, may they, with what: in this order, and nothing is read before it is allowed. */
function answer(route: Route, sql: Sql, streams: StreamSettings): RequestHandler {
  return async (request, response) => {
    const context = contextOf(request);
    if (route.permission !== "public") {
      const caller = await authenticate(request, sql);
      context.principal = { ...caller, origin: originOf(request, caller.keyId, context.id) };
    }
    const { principal } = context;
    const params = parseInput(route.params, { ...request.params }, "path") as Record<
      string,
      unknown
    >;
    const demand = (access: Access) => {
      if (access === "public" || access === "authenticated") return;
      const permission = fillPermission(access, params);
      if (hasPermission(principal?.permissions ?? [], permission)) return;
      throw new CarillonError("permission_denied", `missing ${permission}`);
    };
    demand(route.permission);
    const query = parseInput(route.query, queryOf(request), "query");
    const body = await bodyOf(route, request, response);
    const reply = await route.handler({ sql, params, query, body, principal, demand });
    response.status(reply.status);
    const shape = route.responses[reply.status];
    if (shape === undefined || !("kind" in shape)) response.json(reply.body);
    else if (shape.kind === "file") await sendFile(response, reply.body as FileBody);
    else await sendEvents(response, reply.body as EventsBody, lastEventId(request), streams);
  };
}

function queryOf(request: Request): Record<string, unknown> {
  const query: Record<string, unknown> = { ...request.query };
  const twice = Object.keys(query).filter((name) => Array.isArray(query[name]));
  if (twice.length === 0) return query;
  throw invalidInput(twice.map((field) => ({ field, message: "must be given only once" })));
}

async function bodyOf(route: Route, request: Request, response: Response): Promise<unknown> {
  if (route.body === undefined) return undefined;
  return parseInput(route.body, await readBody(request, response), "body");
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
