import { hostname } from "node:os";
import { connect, type Sql } from "../db/connect.js";
import { Pulse } from "./ticker.js";
import type { WorkerConfig } from "./options.js";

/** A host's name, cut so that a name made with it fits into pg_stat_activity. */
export const HOST = hostname().slice(0, 30);

const open = new Map<string | Sql, SharedDatabase>();

/** What the workers of this process share of one database: a pool, its LISTEN, and one ticker. */
export class SharedDatabase {
  readonly sql: Sql;
  readonly pulse: Pulse;
  readonly #close: () => Promise<unknown>;
  #users = 0;

  private constructor(sql: Sql, close: () => Promise<unknown>) {
    this.sql = sql;
    this.pulse = new Pulse(sql);
    this.#close = close;
  }

  /** Every call is to be answered by one of {@link leave}. */
  static enter(config: Pick<WorkerConfig, "database" | "prepare" | "connections">): SharedDatabase {
    const { database, prepare, connections } = config;
    const own = typeof database === "string";
    const key = own ? `${database} ${prepare} ${connections}` : database;
    let shared = open.get(key);
    if (shared === undefined) {
      const name = `carillon worker ${HOST}:${process.pid}`;
      const sql = own ? connect(database, { max: connections, name, prepare }) : database;
      shared = new SharedDatabase(sql, async () => {
        open.delete(key);
        if (own) await sql.end({ timeout: 5 });
      });
      open.set(key, shared);
    }
    shared.#users += 1;
    return shared;
  }

  /** The last one to leave closes the connections, unless they were brought. */
  async leave(): Promise<void> {
    this.#users -= 1;
    if (this.#users === 0) await this.#close().catch(() => undefined);
  }
}
