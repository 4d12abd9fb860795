import express, { type Express } from "express";
import { API_DEFAULTS, type ApiSettings } from "../config-api.js";
import type { Sql } from "../db/connect.js";
import type { Transactions } from "../db/transactions.js";
import { CarillonError } from "../errors.js";
import type { Logger } from "../log.js";
import type { Keyring } from "../secrets/keyring.js";
import { createAuthentication } from "./auth/chain.js";
import { openContext } from "./context.js";
import { allowOrigins } from "./cors.js";
import { answerProblem } from "./problem.js";
import { serveReference } from "./openapi/serve.js";
import { createLimiter } from "./rate-limit.js";
import { registerRoutes } from "./register.js";
import type { Route } from "./route.js";
import { ROUTES } from "./routes/index.js";
import { STREAM_DEFAULTS, type StreamSettings } from "./streaming.js";
import { stripBase } from "./web/base-path.js";
import { pageFolder, readPage } from "./web/files.js";
import { servePage } from "./web/serve.js";

export interface AppDeps {
  sql: Sql;
  /** For requests that must be answered once. */
  transactions: Transactions;
  log: Logger;
  /** What seals secrets; without one they are off. */
  keyring?: Keyring | undefined;
  /** The routes to serve; default: all of them. */
  routes?: readonly Route[];
  /** What differs from the defaults. */
  settings?: Partial<ApiSettings>;
  /** How event streams are kept, where that is not as usual. */
  streams?: Partial<StreamSettings>;
  /** The folder of the built dashboard; default: where the build puts it, if it did. */
  pageFolder?: string | undefined;
}

/** The API as an Express application that does not listen yet. */
export function createApp(deps: AppDeps): Express {
  const { sql, transactions, log, routes = ROUTES } = deps;
  const settings = { ...API_DEFAULTS, ...deps.settings };
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.enable("case sensitive routing");
  app.set("query parser", "simple");
  app.set("trust proxy", settings.trustProxy);
  if (settings.basePath !== "/") app.use(stripBase(settings.basePath));
  app.use(openContext(log));
  app.use(allowOrigins(settings.corsOrigins));
  serveReference(app, routes);
  registerRoutes(app, routes, {
    sql,
    transactions,
    authenticate: createAuthentication(sql, settings),
    limit: createLimiter(settings.rateLimit),
    keyring: deps.keyring,
    timeoutMs: settings.requestTimeoutSeconds * 1000,
    streams: { ...STREAM_DEFAULTS, ...deps.streams },
  });
  const folder = deps.pageFolder ?? pageFolder();
  if (folder !== undefined) servePage(app, readPage(folder), settings.basePath);
  app.use((request) => {
    throw new CarillonError(
      "route_not_found",
      `no endpoint ${request.method} ${request.path.slice(0, 200)}`,
    );
  });
  app.use(answerProblem(log));
  return app;
}
