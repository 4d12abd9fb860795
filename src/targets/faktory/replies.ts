import { FaktoryFailure } from "./failure.js";

/** What a server answers: a line, an error, or a body (null for none). */
export type Reply =
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "error"; readonly text: string }
  | { readonly kind: "bulk"; readonly text: string | null };

const MAX_LINE = 65_536;
const MAX_BULK = 16 * 1024 * 1024;
const CRLF = Buffer.from("\r\n");

/**
 * Cuts what a Faktory server sends into replies, wherever the chunks are cut. The protocol's forms
 * are a subset of Redis's.
 *
 * @see https://github.com/contribsys/faktory/blob/main/docs/protocol-specification.md
 */
export class ReplyParser {
  #held: Buffer = Buffer.alloc(0);

  /**
   * The replies that this chunk completes.
   *
   * @throws FaktoryFailure of class `protocol`
   */
  *push(chunk: Buffer): Generator<Reply> {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    for (let reply = this.#next(); reply !== undefined; reply = this.#next()) yield reply;
  }

  #next(): Reply | undefined {
    const end = this.#held.indexOf(CRLF);
    if (end === -1) {
      if (this.#held.length > MAX_LINE) throw strange("a line without end");
      return undefined;
    }
    const rest = this.#held.toString("utf8", 1, end);
    switch (this.#held.toString("latin1", 0, 1)) {
      case "+":
        return this.#take(end + 2, { kind: "line", text: rest });
      case "-":
        return this.#take(end + 2, { kind: "error", text: rest });
      case "$":
        return this.#bulk(rest, end + 2);
      default:
        throw strange("something that is no reply");
    }
  }

  #bulk(length: string, from: number): Reply | undefined {
    if (length === "-1") return this.#take(from, { kind: "bulk", text: null });
    if (!/^\d{1,8}$/.test(length) || Number(length) > MAX_BULK) {
      throw strange("a body of a length that cannot be");
    }
    const to = from + Number(length);
    if (this.#held.length < to + 2) return undefined;
    if (!this.#held.subarray(to, to + 2).equals(CRLF)) throw strange("a body of another length");
    return this.#take(to + 2, { kind: "bulk", text: this.#held.toString("utf8", from, to) });
  }

  #take(upTo: number, reply: Reply): Reply {
    this.#held = this.#held.subarray(upTo);
    return reply;
  }
}

const strange = (what: string) =>
  new FaktoryFailure("protocol", `the server sent ${what}; is it Faktory?`);
