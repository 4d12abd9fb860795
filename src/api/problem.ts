import type { ErrorRequestHandler } from "express";
import { CarillonError, ERRORS, type FieldError } from "../errors.js";
import type { Logger } from "../log.js";
import { contextOf } from "./context.js";
import type { Problem } from "./shapes/problem.js";

/** Seconds after which a client may try again what failed for want of a database. */
const RETRY_AFTER = "2";

/** The problem document of an error. */
export function toProblem(error: CarillonError, requestId: string): Problem {
  const { status, title } = ERRORS[error.code];
  return {
    type: `urn:carillon:error:${error.code}`,
    title,
    status,
    detail: error.message,
    instance: requestId,
    code: error.code,
    error: error.message,
    ...(error.detail === undefined ? {} : { rule: error.detail }),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.missing === undefined ? {} : { missing: error.missing }),
    ...(error.fields.length === 0 ? {} : { errors: error.fields.map(bare) }),
  };
}

/** SQL's messages begin with the field they are about; beside the field that is said twice. */
function bare({ field, message }: FieldError): FieldError {
  const about = `${field} `;
  return { field, message: message.startsWith(about) ? message.slice(about.length) : message };
}

/** Answers every error as a problem document; what is our own fault goes to the log in full. */
export function answerProblem(log: Logger): ErrorRequestHandler {
  return (thrown: unknown, request, response, next) => {
    const error = asCarillonError(thrown);
    const { id } = contextOf(request);
    if (error.status >= 500) {
      log.error({ requestId: id, code: error.code, err: error.cause ?? error }, error.message);
    }
    if (response.headersSent) {
      next(thrown);
      return;
    }
    const challenge = challengeOf(error, request.get("authorization") !== undefined);
    if (challenge !== undefined) response.set("www-authenticate", challenge);
    if (error.status === 503) response.set("retry-after", RETRY_AFTER);
    response
      .status(error.status)
      .type("application/problem+json")
      .send(JSON.stringify(toProblem(error, id)));
  };
}

/** What to authenticate with, or what is missing (RFC 6750). */
function challengeOf(error: CarillonError, hasToken: boolean): string | undefined {
  const bearer = 'Bearer realm="carillon"';
  if (error.status === 401) return hasToken ? `${bearer}, error="invalid_token"` : bearer;
  if (error.missing === undefined) return undefined;
  return `${bearer}, error="insufficient_scope", scope="${error.missing}"`;
}

function asCarillonError(thrown: unknown): CarillonError {
  if (thrown instanceof CarillonError) return thrown;
  // The router throws this for a path such as /%E0%A4%A.
  if (thrown instanceof URIError) {
    return new CarillonError("invalid_input", "path is not valid percent-encoded UTF-8", {
      fields: [{ field: "path", message: "is not valid percent-encoded UTF-8" }],
    });
  }
  return new CarillonError("internal", "an unexpected error", { cause: thrown });
}
