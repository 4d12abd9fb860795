import type { ErrorCode, FieldError } from "../errors.js";

/** A code of this version of Carillon, or one that a newer server has. */
export type ApiErrorCode = ErrorCode | "unexpected_answer" | (string & {});

/** What the server answers instead of what was asked for: an RFC 9457 problem document. */
export interface ProblemDocument {
  code?: string;
  detail?: string;
  instance?: string;
  rule?: string;
  hint?: string;
  missing?: string;
  errors?: readonly FieldError[];
}

/**
 * The server refused a request, or failed at it.
 *
 * @example
 * try {
 *   await client.crons.create("crm", { name: "nightly", schedule: "0 25 * * *" });
 * } catch (error) {
 *   if (error instanceof CarillonApiError && error.code === "invalid_schedule") …
 * }
 */
export class CarillonApiError extends Error {
  override readonly name = "CarillonApiError";
  /** Stable, for programs. `unexpected_answer` when it was not Carillon that answered. */
  readonly code: ApiErrorCode;
  /** The HTTP status. */
  readonly status: number;
  /** Every field at fault, for bad input. */
  readonly fields: readonly FieldError[];
  /** The request's id in the server's log. */
  readonly requestId: string | undefined;
  /** The rule that was broken, in full. */
  readonly rule: string | undefined;
  /** What would be right. */
  readonly hint: string | undefined;
  /** The permission that was missing. */
  readonly missing: string | undefined;
  /** Milliseconds after which the server would have it tried again. */
  readonly retryAfterMs: number | undefined;

  constructor(
    status: number,
    problem: ProblemDocument,
    more: { requestId?: string | undefined; retryAfterMs?: number | undefined } = {},
  ) {
    super(problem.detail ?? `the server answered ${status}`);
    this.status = status;
    this.code = problem.code ?? "unexpected_answer";
    this.fields = problem.errors ?? [];
    this.requestId = more.requestId ?? problem.instance;
    this.rule = problem.rule;
    this.hint = problem.hint;
    this.missing = problem.missing;
    this.retryAfterMs = more.retryAfterMs;
  }
}

/** No answer came: the server could not be reached, the connection broke, or it took too long. */
export class CarillonConnectionError extends Error {
  override readonly name = "CarillonConnectionError";
  readonly reason: "network" | "timeout";

  constructor(reason: "network" | "timeout", message: string, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
  }
}
