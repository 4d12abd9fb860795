import type { Request } from "express";
import type { Origin } from "../db/audit.js";
import { invalidInput } from "../schedules/parse-input.js";

/** In this header a caller may say why; beyond ASCII percent-encoded, as header values have to be. */
export const REASON_HEADER = "x-carillon-reason";

const MAX_REASON = 500;
const MAX_AGENT = 300;

/** Where a request comes from, for the audit log. */
export function originOf(request: Request, keyId: string | null, requestId: string): Origin {
  const byHeader = request.get("authorization") === undefined ? "session" : "token";
  return {
    via: keyId === null ? byHeader : "key",
    keyId,
    ip: request.ip ?? null,
    userAgent: request.get("user-agent")?.slice(0, MAX_AGENT) ?? null,
    requestId,
    reason: reasonOf(request),
  };
}

function reasonOf(request: Request): string | null {
  const given = request.get(REASON_HEADER);
  if (given === undefined || given.trim() === "") return null;
  const reason = decoded(given.trim());
  if (reason.length <= MAX_REASON && !/[\u0000-\u001f\u007f]/.test(reason)) return reason;
  const message = `must be at most ${MAX_REASON} characters without control characters`;
  throw invalidInput([{ field: REASON_HEADER, message }]);
}

/** A reason with a percent sign of its own is what it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
