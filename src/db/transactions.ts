import postgres from "postgres";
import { run, type Queryable, type Sql } from "./connect.js";

/*
 * postgres.js ends the whole process when the server goes away during its `begin`
 * (github.com/porsager/postgres/issues/1154), and may send what follows over a new connection,
 * outside of the transaction (pull/1155). So transactions have connections of their own here, one
 * statement at a time, and none any more once the connection has closed.
 */

type Client = postgres.Sql<{ bigint: number }>;
type Statement = postgres.PendingQuery<postgres.Row[]>;

/** A connection for one transaction at a time. */
interface Line {
  client: Client;
  /** Whether its connection has closed; the driver would make another, which is none of ours. */
  closed: boolean;
}

/** A statement that runs when awaited, after those before it; or a part of another statement. */
class Turn implements PromiseLike<unknown> {
  readonly statement: Statement;
  readonly then: PromiseLike<unknown>["then"];

  constructor(statement: Statement, start: (statement: Statement) => Promise<unknown>) {
    this.statement = statement;
    this.then = (good, bad) => start(statement).then(good, bad);
  }
}

/** Transactions on a few connections of their own, made when first needed. */
export class Transactions implements AsyncDisposable {
  readonly #pool: Sql;
  readonly #most: number;
  readonly #idle: Line[] = [];
  readonly #waiting: (() => void)[] = [];
  #busy = 0;
  #ended = false;

  constructor(pool: Sql, most = 5) {
    this.#pool = pool;
    this.#most = most;
  }

  /**
   * Does work in a transaction; what it throws, or a connection that closes, undoes all of it.
   *
   * @throws CarillonError as the statements do
   */
  async run<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    while (this.#busy >= this.#most) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#busy += 1;
    const line = this.#open();
    try {
      await run(speak(line, line.client.unsafe("begin")));
      const result = await work(within(line));
      await run(speak(line, line.client.unsafe("commit")));
      return result;
    } catch (error) {
      const rollback = speak(line, line.client.unsafe("rollback"));
      // What cannot be undone by word is undone by hanging up.
      await rollback.catch(() => (line.closed = true));
      throw error;
    } finally {
      this.#busy -= 1;
      this.#keep(line);
      this.#waiting.shift()?.();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    await Promise.all(this.#idle.splice(0).map(({ client }) => client.end({ timeout: 1 })));
  }

  #open(): Line {
    for (let line = this.#idle.pop(); line !== undefined; line = this.#idle.pop()) {
      if (!line.closed) return line;
      hangUp(line);
    }
    return openLine(this.#pool);
  }

  #keep(line: Line): void {
    if (line.closed || this.#ended) hangUp(line);
    else this.#idle.push(line);
  }
}

function openLine(pool: Sql): Line {
  const options = {
    ...(pool.options as unknown as postgres.Options<{ bigint: postgres.PostgresType<number> }>),
    max: 1,
    // A connection that is closed for its age would take a transaction with it.
    max_lifetime: null,
    onclose: () => {
      line.closed = true;
    },
  };
  const line: Line = { client: postgres(options), closed: false };
  return line;
}

const hangUp = ({ client }: Line) => void client.end({ timeout: 0 }).catch(() => undefined);

/** Runs a statement, unless the transaction it is meant for is gone with its connection. */
async function speak<T>(line: Line, statement: PromiseLike<T>): Promise<T> {
  if (line.closed)
    throw Object.assign(new Error("connection closed"), { code: "CONNECTION_CLOSED" });
  return statement;
}

/** What db methods take, over one line. */
function within(line: Line): Queryable {
  let before: Promise<unknown> = Promise.resolve();
  const start = (statement: Statement) => {
    const turn = before.then(() => speak(line, statement));
    before = turn.catch(() => undefined);
    return turn;
  };
  const tag = (strings: TemplateStringsArray, ...args: unknown[]) => {
    const parts = args.map((arg) => (arg instanceof Turn ? arg.statement : arg));
    return new Turn(
      line.client(strings, ...(parts as postgres.ParameterOrFragment<never>[])),
      start,
    );
  };
  const unsafe = (text: string) => new Turn(line.client.unsafe(text), start);
  const json = (value: postgres.JSONValue) => line.client.json(value);
  return Object.assign(tag, { json, unsafe }) as unknown as Queryable;
}
