import type { Request } from "express";
import type { Queryable } from "../db/connect.js";
import type { Principal } from "../db/principals.js";
import { answerOnce } from "../db/requests.js";
import type { Transactions } from "../db/transactions.js";
import { CarillonError } from "../errors.js";
import { invalidInput } from "../schedules/parse-input.js";
import type { Route } from "./route.js";

/** An answer as it is sent. */
export interface Answer {
  status: number;
  text: string;
  /** The version of what it shows, where that has one. */
  version?: number | undefined;
  /** Whether it was given before, to the same request. */
  replayed?: true;
}

/** The version of what a body shows. */
export const versionIn = (body: unknown) => (body as { version?: number }).version;

/** The Idempotency-Key of a request that changes something. */
export function idempotencyKeyOf(request: Request): string | undefined {
  if (["GET", "HEAD"].includes(request.method)) return undefined;
  const key = request.get("idempotency-key");
  if (key === undefined || /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw invalidInput([
    { field: "Idempotency-Key", message: "must be 1 to 255 printable ASCII characters" },
  ]);
}

/** What is asked for, by whom and under which key. */
interface Asked {
  request: Request;
  route: Route;
  principal: Principal;
  key: string;
  body: unknown;
}

/**
 * Works in one transaction with the record of its answer, or repeats the answer that the same
 * request was given before. A refused request leaves no record and may be sent again.
 */
export async function once(
  transactions: Transactions,
  { request, route, principal, key, body }: Asked,
  work: (sql: Queryable) => Promise<Answer>,
): Promise<Answer> {
  const line = `${request.method} ${request.originalUrl}`;
  const { principalId } = principal;
  const result = await answerOnce(transactions, { principalId, line, key, body }, async (tx) => {
    const answer = await work(tx);
    return { ...answer, text: route.secret ? null : answer.text, shown: answer };
  });
  if ("answered" in result) return result.answered.shown;
  const { status, text } = result.replayed;
  if (text !== null) {
    const version = route.versioned ? versionIn(JSON.parse(text)) : undefined;
    return { status, text, version, replayed: true };
  }
  throw new CarillonError(
    "idempotency_conflict",
    "this request was answered before, with a secret that is shown only once",
    { hint: "to get another one, send the request with a new key" },
  );
}
