import { json, run, type Queryable } from "./connect.js";
import type { Transactions } from "./transactions.js";

/** A request that must be answered once, however often it is sent. */
export interface KeyedRequest {
  principalId: string;
  /** Method and path. */
  line: string;
  /** What the caller calls this request by. */
  key: string;
  /** Any JSON, or undefined. */
  body: unknown;
}

/** What a request was answered; `text` is null where it held a secret, which is not kept. */
export interface KeptAnswer {
  status: number;
  text: string | null;
}

/**
 * Answers a request once: does its work and keeps its answer in one transaction, or returns what
 * was kept. Of several at once one works and the others wait for it. Work that throws leaves
 * nothing behind, so that the request may be sent again.
 */
export const answerOnce = <A extends KeptAnswer>(
  transactions: Transactions,
  { principalId, line, key, body }: KeyedRequest,
  work: (sql: Queryable) => Promise<A>,
): Promise<{ replayed: KeptAnswer } | { answered: A }> =>
  transactions.run(async (tx) => {
    // In an array, as a bare string would be encoded twice.
    const sent = json(tx, body === undefined ? [] : [body]);
    const [replayed] = await run(tx<KeptAnswer[]>`
      select status, answer as text from carillon.begin_request(
        principal => ${principalId}, line => ${line}, key => ${key}, body => ${sent})`);
    if (replayed !== undefined) return { replayed };
    const answered = await work(tx);
    await run(tx`
      select carillon.end_request(
        principal => ${principalId}, line => ${line}, key => ${key}, body => ${sent},
        status => ${answered.status}, answer => ${answered.text})`);
    return { answered };
  });
