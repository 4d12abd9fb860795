import { CarillonApiError, CarillonConnectionError } from "carillon/client";

/** What went wrong, in words for people. */
export interface Problem {
  kind: "refused" | "gone" | "denied" | "stopped" | "unreachable" | "failed";
  title: string;
  detail: string;
  /** The server's own code, and the request's id in its log. */
  code: string | undefined;
  requestId: string | undefined;
}

const TITLES = {
  refused: "That was not accepted",
  gone: "It is not here any more",
  denied: "You may not do that",
  stopped: "The server stopped this: it took too long",
  unreachable: "Cannot reach Carillon",
  failed: "Something went wrong on the server",
} as const;

export function problemOf(error: unknown): Problem {
  if (error instanceof CarillonApiError) {
    const kind = kindOf(error);
    const detail = [sentence(error.message), error.hint && sentence(error.hint)]
      .filter(Boolean)
      .join(" ");
    return { kind, title: TITLES[kind], detail, code: error.code, requestId: error.requestId };
  }
  const unreachable = error instanceof CarillonConnectionError;
  const kind = unreachable ? "unreachable" : "failed";
  const detail = unreachable
    ? "Your connection or the server is down. What you see is what was there before."
    : sentence((error as Error).message);
  return { kind, title: TITLES[kind], detail, code: undefined, requestId: undefined };
}

function kindOf({ status, code }: CarillonApiError): Problem["kind"] {
  if (status === 403) return "denied";
  if (status === 404 || status === 410) return "gone";
  if (code === "timeout" || status === 504) return "stopped";
  if (status === 502 || status === 503) return "unreachable";
  return status >= 500 ? "failed" : "refused";
}

/** With a capital and a full stop, as the server's words have none. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  const begun = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}
