import postgres from "postgres";
import { ARRAY_TYPES } from "./arrays.js";
import { fromPostgres } from "../errors.js";
import { sockets } from "./socket.js";

/** A pool of connections; int8 arrives as number (ids stay far below 2^53). */
export type Sql = postgres.Sql<{ bigint: number }>;

/** A pool, or a transaction taken from one. */
export type Queryable = Sql | postgres.TransactionSql<{ bigint: number }>;

/** A JSON object, as payloads are. */
export type JsonObject = Record<string, unknown>;

export interface ConnectOptions {
  /** Connections at most; default 10. */
  max?: number;
  /** Shown in pg_stat_activity; default "carillon". */
  name?: string;
  /** Prepared statements; default true. Off behind a pooler in transaction mode. */
  prepare?: boolean;
  /** Seconds a statement may take; default 0, no limit. Poolers in transaction mode refuse it. */
  statementTimeoutSeconds?: number;
}

/** Opens a pool. Connections are made when first needed; `sql.end()` closes them. */
export function connect(databaseUrl: string, options: ConnectOptions = {}): Sql {
  const { statementTimeoutSeconds = 0 } = options;
  // The driver's types do not know of `socket`.
  const socket: object = { socket: sockets() };
  return postgres(databaseUrl, {
    ...socket,
    max: options.max ?? 10,
    prepare: options.prepare ?? true,
    connect_timeout: 10,
    // The driver's own backoff grows to 20 s: so long would queries wait to be refused, and so
    // late would a database that is back be noticed.
    backoff: (attempt) => Math.min(0.05 * 2 ** attempt, 1),
    onnotice: () => undefined,
    connection: {
      application_name: options.name ?? "carillon",
      ...(statementTimeoutSeconds > 0 ? { statement_timeout: statementTimeoutSeconds * 1000 } : {}),
    },
    transform: { undefined: null, column: { from: postgres.toCamel } },
    fetch_types: false,
    types: {
      ...ARRAY_TYPES,
      bigint: { to: 20, from: [20], serialize: String, parse: Number },
    },
  });
}

/** Awaits a query and turns what it throws into a CarillonError. */
export async function run<T>(query: PromiseLike<T>): Promise<T> {
  try {
    return await query;
  } catch (error) {
    throw fromPostgres(error);
  }
}

/** Awaits a query that returns exactly one row. */
export async function one<T>(query: PromiseLike<readonly T[]>): Promise<T> {
  const [row] = await run(query);
  if (row === undefined) throw new Error("a query that returns one row returned none");
  return row;
}

/** A value for a jsonb parameter. Objects and arrays only: a string would be encoded twice. */
export const json = (sql: Queryable, value: object) => sql.json(value as never);
