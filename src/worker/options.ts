import { z } from "zod";
import { readConfig, requireDatabaseUrl } from "../config.js";
import type { Sql } from "../db/connect.js";
import { CarillonError } from "../errors.js";
import { createLogger, type Logger } from "../log.js";

const AppId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, "must be an app id: lowercase letters, digits, - and _");

const has = (value: unknown, ...methods: string[]) =>
  (typeof value === "object" || typeof value === "function") &&
  value !== null &&
  methods.every((name) => typeof (value as Record<string, unknown>)[name] === "function");

/** What `serve` may be told; each has a default, most from the environment. */
export const Options = z.strictObject({
  /** The app to serve; default `CARILLON_APP`. */
  app: AppId.optional(),
  /** The apps to serve, where one process serves several. */
  apps: z.array(AppId).min(1, "must name at least one app").optional(),
  /** Jobs to run at once; default `CARILLON_CONCURRENCY` or 10. */
  concurrency: z.int().min(1).max(1000).optional(),
  /** Seconds a lease lasts without a heartbeat; default `CARILLON_LEASE` or 30. */
  leaseSeconds: z.int().min(1).max(3600).optional(),
  /** Seconds a handler may run; default `CARILLON_TIMEOUT` or 900. */
  timeoutSeconds: z.number().positive().max(86_400).optional(),
  /** Seconds a stopping worker waits for running jobs; default `CARILLON_DRAIN` or 25. */
  drainSeconds: z.number().min(0).max(3600).optional(),
  /** Where the database is; default `DATABASE_URL`. */
  databaseUrl: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "must be a postgres:// URL")
    .optional(),
  /** A pool made by `connect()`, to use instead of an own one; it stays open. */
  sql: z
    .custom<Sql>((value) => has(value, "listen", "begin"), "must be made by connect()")
    .optional(),
  /** Connections at most, the one that listens aside; default `CARILLON_CONNECTIONS` or 6. */
  connections: z.int().min(1).max(100).optional(),
  /** Whether to prepare statements; default `CARILLON_PREPARE` or true. Off behind a pooler. */
  prepare: z.boolean().optional(),
  /** Whether to be woken by LISTEN; default `CARILLON_LISTEN` or true. Off behind a pooler. */
  listen: z.boolean().optional(),
  /** Milliseconds between looks into the queue; default 5000 with LISTEN, 1000 without. Each tick is a look, too. */
  pollMs: z.int().min(10).max(3_600_000).optional(),
  /** Whether to tick once a second, too; default `CARILLON_TICKER` or true. */
  ticker: z.boolean().optional(),
  /** Where to log; default JSON lines on stderr. pino's loggers fit. */
  logger: z
    .custom<Logger>((value) => has(value, "info", "warn", "error", "debug"), "must be a logger")
    .optional(),
  /** Whether SIGTERM and SIGINT stop the worker; default true. */
  signals: z.boolean().optional(),
});

/** See the properties for what each does. */
export type ServeOptions = z.input<typeof Options>;

/** A worker's options, resolved. */
export interface WorkerConfig {
  /** Those it is for by name; none for a dispatcher. */
  readonly apps: readonly string[];
  /** What it claims: apps, or jobs with targets (`targetsOf`, `ALL_TARGETS`). */
  readonly keys: readonly string[];
  readonly concurrency: number;
  readonly leaseSeconds: number;
  readonly timeoutSeconds: number;
  readonly drainSeconds: number;
  readonly database: Sql | string;
  readonly connections: number;
  readonly prepare: boolean;
  readonly listen: boolean;
  readonly pollMs: number;
  readonly ticker: boolean;
  readonly logger: Logger;
  readonly signals: boolean;
}

/**
 * Resolves options against the environment.
 *
 * @throws CarillonError `invalid_config`, naming every option at fault
 */
export function resolveOptions(given: unknown, env = process.env): WorkerConfig {
  const options = parse(given);
  const config = readConfig(env);
  const listen = options.listen ?? config.listen;
  const apps = resolveApps(options, config.app);
  return Object.freeze({
    apps,
    keys: apps,
    concurrency: options.concurrency ?? config.concurrency,
    leaseSeconds: options.leaseSeconds ?? config.leaseSeconds,
    timeoutSeconds: options.timeoutSeconds ?? config.timeoutSeconds,
    drainSeconds: options.drainSeconds ?? config.drainSeconds,
    database: options.sql ?? options.databaseUrl ?? requireDatabaseUrl(config),
    connections: options.connections ?? config.connections,
    prepare: options.prepare ?? config.prepare,
    listen,
    pollMs: options.pollMs ?? (listen ? 5000 : 1000),
    ticker: options.ticker ?? config.ticker,
    logger: options.logger ?? createLogger(config.logLevel),
    signals: options.signals ?? true,
  });
}

function parse(given: unknown): z.output<typeof Options> {
  const parsed = Options.safeParse(given);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => ({ field: key, message: "is not an option of serve()" }))
      : [{ field: issue.path.join(".") || "options", message: issue.message }],
  );
  throw new CarillonError(
    "invalid_config",
    fields.map(({ field, message }) => `${field}: ${message}`).join("; "),
    { fields },
  );
}

function resolveApps(
  { app, apps }: Pick<z.output<typeof Options>, "app" | "apps">,
  fromEnvironment: string | undefined,
): readonly string[] {
  if (app !== undefined && apps !== undefined) {
    throw new CarillonError("invalid_config", "give app or apps, not both");
  }
  const found = apps ?? [app ?? fromEnvironment].filter((id) => id !== undefined);
  if (found.length > 0) return Object.freeze([...new Set(found)]);
  throw new CarillonError("invalid_config", "which app to serve is not said", {
    hint: 'set CARILLON_APP, or pass it: serve({ app: "crm" }, { onJob })',
  });
}
