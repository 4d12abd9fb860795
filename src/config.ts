import { z } from "zod";
import { ApiEnvironment, type ApiSettings, contradictions, toApiSettings } from "./config-api.js";
import { CarillonError } from "./errors.js";

const flag = z
  .enum(["on", "off", "true", "false", "1", "0"])
  .transform((value) => value === "on" || value === "true" || value === "1");

const seconds = (most: number) => z.coerce.number().int().min(1).max(most);

/** The environment variables Carillon reads, with every default. */
const Environment = z.object({
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "must be a postgres:// URL")
    .optional(),
  CARILLON_HOST: z.string().min(1).default("127.0.0.1"),
  CARILLON_PORT: z.coerce.number().int().min(0).max(65535).default(8080),
  CARILLON_APP: z.string().min(1).optional(),
  CARILLON_CONCURRENCY: z.coerce.number().int().min(1).max(1000).default(10),
  CARILLON_LEASE: seconds(3600).default(30),
  CARILLON_TIMEOUT: seconds(86_400).default(900),
  CARILLON_DRAIN: seconds(3600).default(25),
  CARILLON_DISPATCHER: flag.default(true),
  CARILLON_DISPATCH_CONCURRENCY: z.coerce.number().int().min(1).max(1000).default(50),
  CARILLON_CONNECTIONS: z.coerce.number().int().min(1).max(100).default(6),
  CARILLON_TICKER: flag.default(true),
  CARILLON_SEED: z.string().optional(),
  CARILLON_LISTEN: flag.default(true),
  CARILLON_PREPARE: flag.default(true),
  CARILLON_STATEMENT_TIMEOUT: z.coerce.number().int().min(0).max(3600).default(15),
  ...ApiEnvironment.shape,
  CARILLON_LOG_LEVEL: z
    .enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"])
    .default("info"),
});

/** Resolved configuration: frozen, every value present that has a default. */
export interface Config {
  /** Where the database is; required by everything that talks to it. */
  readonly databaseUrl: string | undefined;
  /** Address the API listens on. */
  readonly host: string;
  /** Port the API listens on; 0 takes a free one. */
  readonly port: number;
  /** The app a worker serves. */
  readonly app: string | undefined;
  /** Jobs a worker runs at once. */
  readonly concurrency: number;
  /** Seconds a lease lasts without a heartbeat. */
  readonly leaseSeconds: number;
  /** Seconds a handler may run before its signal is aborted and the job fails. */
  readonly timeoutSeconds: number;
  /** Seconds a stopping worker waits for running jobs before it aborts them. */
  readonly drainSeconds: number;
  /** Whether the server sends jobs to their targets, too. */
  readonly dispatcher: boolean;
  /** Jobs a dispatcher has under way at once. */
  readonly dispatchConcurrency: number;
  /** Connections of a worker's pool at most. */
  readonly connections: number;
  /** Whether this process ticks, once a second. */
  readonly ticker: boolean;
  /** The file by which `carillon serve` installs the first apps of a database without any. */
  readonly seed: string | undefined;
  /** Whether workers wake by LISTEN; off (polling) behind a pooler in transaction mode. */
  readonly listen: boolean;
  /** Whether statements are prepared; off behind a pooler in transaction mode. */
  readonly prepare: boolean;
  /** Seconds a statement of the API may take; 0 sets no limit. Not behind a pooler (prepare off). */
  readonly statementTimeoutSeconds: number;
  readonly api: ApiSettings;
  readonly logLevel: "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";
}

/**
 * Reads the configuration from the environment.
 *
 * @throws CarillonError `invalid_config`, naming every variable at fault
 */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  // An empty variable is an unset one.
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const parsed = Environment.safeParse(present);
  if (!parsed.success) {
    refuse(parsed.error.issues.map((issue) => [issue.path.join("."), issue.message]));
  }
  const e = parsed.data;
  const contradicting = contradictions(e);
  if (contradicting.length > 0) refuse(contradicting);
  return Object.freeze({
    databaseUrl: e.DATABASE_URL,
    host: e.CARILLON_HOST,
    port: e.CARILLON_PORT,
    app: e.CARILLON_APP,
    concurrency: e.CARILLON_CONCURRENCY,
    leaseSeconds: e.CARILLON_LEASE,
    timeoutSeconds: e.CARILLON_TIMEOUT,
    drainSeconds: e.CARILLON_DRAIN,
    dispatcher: e.CARILLON_DISPATCHER,
    dispatchConcurrency: e.CARILLON_DISPATCH_CONCURRENCY,
    connections: e.CARILLON_CONNECTIONS,
    ticker: e.CARILLON_TICKER,
    seed: e.CARILLON_SEED,
    listen: e.CARILLON_LISTEN,
    prepare: e.CARILLON_PREPARE,
    statementTimeoutSeconds: e.CARILLON_STATEMENT_TIMEOUT,
    api: toApiSettings(e),
    logLevel: e.CARILLON_LOG_LEVEL,
  });
}

function refuse(faults: readonly (readonly [string, string])[]): never {
  throw new CarillonError(
    "invalid_config",
    faults.map(([variable, message]) => `${variable}: ${message}`).join("; "),
    { fields: faults.map(([field, message]) => ({ field, message })) },
  );
}

/** The database's URL, or an error that says how to give it. */
export function requireDatabaseUrl(config: Config): string {
  if (config.databaseUrl) return config.databaseUrl;
  throw new CarillonError("invalid_config", "DATABASE_URL is not set", {
    hint: "for example DATABASE_URL=postgres://user:password@localhost:5432/mydb",
  });
}
