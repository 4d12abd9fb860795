/**
 * Every error Carillon raises has a stable `code`. SQL functions raise them with an SQLSTATE
 * (`TKnnn`, listed in sql/README.md); {@link fromPostgres} is the one place that maps them.
 */
export const ERROR_CODES = {
  // TK0xx: bad input
  TK001: { code: "invalid_input", status: 400, title: "Invalid input" },
  TK002: { code: "invalid_schedule", status: 400, title: "Invalid schedule" },
  TK003: { code: "invalid_timezone", status: 400, title: "Invalid time zone" },
  // TK1xx: not found
  TK101: { code: "app_not_found", status: 404, title: "App not found" },
  TK102: { code: "cron_not_found", status: 404, title: "Cron not found" },
  TK103: { code: "job_not_found", status: 404, title: "Job not found" },
  TK104: { code: "principal_not_found", status: 404, title: "Principal not found" },
  // TK2xx: conflict
  TK201: { code: "name_taken", status: 400, title: "Name already taken" },
  TK202: { code: "overlap", status: 409, title: "A job of this cron is still in the queue" },
  // TK3xx: lease
  TK301: { code: "lease_lost", status: 409, title: "Lease lost" },
  // TK4xx: denied
  TK401: { code: "reserved_app_id", status: 403, title: "Reserved app id" },
  TK402: { code: "not_owner", status: 403, title: "Not the owner" },
  TK403: { code: "permission_denied", status: 403, title: "Permission denied" },
  // TK9xx: environment
  TK901: { code: "pg_cron_missing", status: 503, title: "pg_cron is not available" },
  TK902: { code: "pgmq_missing", status: 503, title: "pgmq is not available" },
} as const;
