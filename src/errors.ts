/**
 * Every error Carillon raises carries a stable `code`. The SQL functions raise theirs with an
 * SQLSTATE of the form `TKnnn` (listed in sql/README.md and here); {@link fromPostgres} is the one
 * place that turns a driver's error into one of these, and {@link ERRORS} the one table that says
 * which HTTP status belongs to which code.
 */
export const ERRORS = {
  invalid_input: { sqlstate: "TK001", status: 400, title: "Invalid input" },
  invalid_schedule: { sqlstate: "TK002", status: 400, title: "Invalid schedule" },
  invalid_timezone: { sqlstate: "TK003", status: 400, title: "Invalid time zone" },
  app_not_found: { sqlstate: "TK101", status: 404, title: "App not found" },
  cron_not_found: { sqlstate: "TK102", status: 404, title: "Cron not found" },
  job_not_found: { sqlstate: "TK103", status: 404, title: "Job not found" },
  principal_not_found: { sqlstate: "TK104", status: 404, title: "Principal not found" },
  key_not_found: { sqlstate: "TK105", status: 404, title: "API key not found" },
  role_not_found: { sqlstate: "TK106", status: 404, title: "Role not found" },
  secret_not_found: { sqlstate: "TK107", status: 404, title: "Secret not found" },
  name_taken: { sqlstate: "TK201", status: 400, title: "Name already taken" },
  overlap: { sqlstate: "TK202", status: 409, title: "A job of the cron is still in the queue" },
  idempotency_conflict: {
    sqlstate: "TK203",
    status: 409,
    title: "Idempotency key used for another request",
  },
  job_state: { sqlstate: "TK204", status: 409, title: "The job is not in a state for this" },
  last_admin: { sqlstate: "TK205", status: 409, title: "The last administrator" },
  version_mismatch: { sqlstate: "TK206", status: 412, title: "Changed since it was read" },
  reserved_app_id: { sqlstate: "TK401", status: 403, title: "Reserved app id" },
  not_owner: { sqlstate: "TK402", status: 403, title: "Not the owner" },
  permission_denied: { sqlstate: "TK403", status: 403, title: "Permission denied" },
  pg_cron_missing: { sqlstate: "TK901", status: 503, title: "pg_cron is not available" },
  pgmq_missing: { sqlstate: "TK902", status: 503, title: "pgmq is not available" },
  unauthenticated: { sqlstate: null, status: 401, title: "Authentication required" },
  cross_site: { sqlstate: null, status: 403, title: "Refused from another site" },
  rate_limited: { sqlstate: null, status: 429, title: "Too many requests" },
  route_not_found: { sqlstate: null, status: 404, title: "No such endpoint" },
  method_not_allowed: { sqlstate: null, status: 405, title: "Method not allowed" },
  unsupported_media_type: { sqlstate: null, status: 415, title: "Unsupported media type" },
  payload_too_large: { sqlstate: null, status: 413, title: "Request body too large" },
  malformed_request: { sqlstate: null, status: 400, title: "Not a valid HTTP request" },
  request_timeout: { sqlstate: null, status: 408, title: "The request took too long to arrive" },
  headers_too_large: { sqlstate: null, status: 431, title: "Request headers too large" },
  identity_unavailable: {
    sqlstate: null,
    status: 503,
    title: "The identity provider is not available",
  },
  secrets_off: { sqlstate: null, status: 503, title: "There is no key to seal secrets by" },
  timeout: { sqlstate: null, status: 504, title: "The answer took too long" },
  database_unavailable: { sqlstate: null, status: 503, title: "The database is not available" },
  schema_missing: { sqlstate: null, status: 503, title: "The schema is not installed" },
  foreign_migrations: { sqlstate: null, status: 409, title: "Another project's migrations" },
  invalid_config: { sqlstate: null, status: 500, title: "Invalid configuration" },
  database_denied: { sqlstate: null, status: 500, title: "Database role lacks a right" },
  internal: { sqlstate: null, status: 500, title: "Internal error" },
} as const;

/** A stable, documented error code. */
export type ErrorCode = keyof typeof ERRORS;

/** One field at fault: where it is, and the rule it breaks. */
export interface FieldError {
  /** Path in API spelling, for example `crons[2].schedule`. */
  field: string;
  message: string;
}

export interface ErrorDetails {
  /** Every field at fault, for bad input. */
  fields?: readonly FieldError[];
  /** The rule in full. */
  detail?: string;
  /** What would be right, or the line that mends it. */
  hint?: string;
  /** The permission that was missing. */
  missing?: string;
  cause?: unknown;
}

/** The one error class; `code` says which error it is. */
export class CarillonError extends Error {
  readonly code: ErrorCode;
  readonly fields: readonly FieldError[];
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  readonly missing: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "CarillonError";
    this.code = code;
    this.fields = details.fields ?? [];
    this.detail = details.detail;
    this.hint = details.hint;
    this.missing = details.missing;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
}

const BY_SQLSTATE = new Map<string, ErrorCode>(
  Object.entries(ERRORS).flatMap(([code, { sqlstate }]) =>
    sqlstate === null ? [] : [[sqlstate, code as ErrorCode]],
  ),
);

/** What postgres.js and the sockets under it put on their errors. */
interface DriverError {
  code?: string;
  message?: string;
  detail?: string;
  hint?: string;
  column_name?: string;
}

const UNREACHABLE =
  /^(08...|28000|28P01|3D000|40001|40P01|55P03|53...|57P0[123]|CONNECTION_.*|CONNECT_TIMEOUT|ECONN.*|ENOTFOUND|EAI_AGAIN|EPIPE|EHOSTUNREACH|ETIMEDOUT)$/;

/** Where trying again does not help, or helps for another reason than the server coming back. */
const REASONS: Readonly<Record<string, string>> = {
  "28000": "the database refuses this user",
  "28P01": "the database refuses this user's password",
  "3D000": "the server has no database of this name",
  "40001": "the database gave way to a concurrent change; try again",
  "40P01": "the database gave way to a concurrent change; try again",
  "55P03": "the database is busy with a concurrent change; try again",
};

/** Values PostgreSQL cannot hold: NUL in text, broken UTF-8, numbers and times out of range. */
const UNSTORABLE = /^(22021|22P05|22003|22008|22007|22P02)$/;

/**
 * Turns whatever a query threw into a {@link CarillonError}. Texts of the driver stay in `cause`:
 * they are for logs, never for a client.
 */
export function fromPostgres(error: unknown): CarillonError {
  if (error instanceof CarillonError) return error;
  const driver = (error ?? {}) as DriverError;
  const state = driver.code ?? "";
  const known = BY_SQLSTATE.get(state);
  if (known) {
    const message = driver.message ?? ERRORS[known].title;
    return new CarillonError(known, message, {
      cause: error,
      ...(driver.column_name ? { fields: [{ field: driver.column_name, message }] } : {}),
      ...(driver.detail ? { detail: driver.detail } : {}),
      ...(driver.hint ? { hint: driver.hint } : {}),
    });
  }
  if (state === "57014") {
    return new CarillonError("timeout", "the database ended a statement that took too long", {
      cause: error,
    });
  }
  if (UNREACHABLE.test(state)) {
    const message = REASONS[state] ?? "the database cannot be reached";
    return new CarillonError("database_unavailable", message, { cause: error });
  }
  if (UNSTORABLE.test(state)) {
    return new CarillonError("invalid_input", "a value cannot be stored in the database", {
      cause: error,
      detail: "text must not hold NUL characters and must be valid Unicode",
    });
  }
  if (state === "3F000" || state === "42883" || state === "42P01") {
    return new CarillonError("schema_missing", "Carillon is not installed in this database", {
      cause: error,
      hint: "run: carillon migrate",
    });
  }
  if (state === "42501") {
    return new CarillonError("database_denied", "the database role lacks a right it needs", {
      cause: error,
      hint: "as the owner: carillon migrate --roles; carillon doctor says what this role may do",
    });
  }
  return new CarillonError("internal", "an unexpected database error", { cause: error });
}
