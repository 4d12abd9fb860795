import { errors } from "undici";
import type { SecretProblem } from "../secret-error.js";

/** Where a call broke, as history and dashboards tell calls apart. */
export type HttpFailureClass =
  | "dns"
  | "connect"
  | "tls"
  | "timeout"
  | "reset"
  | "protocol"
  | "status"
  | "redirect"
  | "refused_address"
  | SecretProblem
  | "aborted"
  | "internal";

/** Something that went wrong on the way; the message is for people and names no inner address. */
export class HttpFailure extends Error {
  readonly class: HttpFailureClass;

  constructor(failure: HttpFailureClass, message: string, options?: ErrorOptions) {
    super(message, options);
    this.class = failure;
  }
}

interface SystemError {
  code?: unknown;
  message?: unknown;
  errors?: unknown;
}

/** What a socket's or resolver's error has to say, in few words. */
export function codeOf(error: unknown): string {
  const { code, message, errors } = error as SystemError;
  // Of several addresses that were tried, the first one's error says it.
  const [first] = Array.isArray(errors) ? (errors as SystemError[]) : [];
  const word = code ?? first?.code ?? message;
  return typeof word === "string" && word !== "" ? word : "unknown error";
}

/** A failure on a connection that stood. */
export function exchangeFailure(error: unknown): HttpFailure {
  if (error instanceof HttpFailure) return error;
  const code = codeOf(error);
  if (/^(ECONNRESET|EPIPE|ECONNABORTED|ETIMEDOUT|UND_ERR_SOCKET|UND_ERR_CLOSED)$/.test(code)) {
    return new HttpFailure("reset", `the connection was lost (${code})`, { cause: error });
  }
  if (code === "UND_ERR_HEADERS_OVERFLOW") {
    return new HttpFailure("protocol", "the answer's headers are larger than 16 KiB");
  }
  if (error instanceof errors.HTTPParserError || code.startsWith("UND_ERR_RES")) {
    return new HttpFailure("protocol", `the answer is not valid HTTP (${code})`, { cause: error });
  }
  return new HttpFailure("internal", `the call failed (${code})`, { cause: error });
}
