import express, { type Express } from "express";
import type { Sql } from "../db/connect.js";
import { CarillonError } from "../errors.js";
import type { Logger } from "../log.js";
import { openContext } from "./context.js";
import { answerProblem } from "./problem.js";
import { registerRoutes } from "./register.js";
import type { Route } from "./route.js";
import { ROUTES } from "./routes/index.js";
import { STREAM_DEFAULTS, type StreamSettings } from "./streaming.js";

export interface AppDeps {
  sql: Sql;
  log: Logger;
  /** The routes to serve; default: all of them. */
  routes?: readonly Route[];
  /** How event streams are kept, where that is not as usual. */
  streams?: Partial<StreamSettings>;
}

/** The API as an Express application that does not listen yet. */
export function createApp({ sql, log, routes = ROUTES, streams }: AppDeps): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.enable("case sensitive routing");
  app.set("query parser", "simple");
  app.use(openContext(log));
  registerRoutes(app, routes, sql, { ...STREAM_DEFAULTS, ...streams });
  app.use((request) => {
    throw new CarillonError(
      "route_not_found",
      `no endpoint ${request.method} ${request.path.slice(0, 200)}`,
    );
  });
  app.use(answerProblem(log));
  return app;
}
