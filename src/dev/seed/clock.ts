import type { Sql } from "../../db/connect.js";

/** The clock of a database that is being filled: it stands where it is set. */
export interface SeedClock {
  set(at: Date): Promise<void>;
  /** Gives the database its own clock back. */
  release(): Promise<void>;
}

/** Stops carillon.now(), the one clock there is; for databases of development alone. */
export async function stopClock(sql: Sql): Promise<SeedClock> {
  const [own] = await sql<{ source: string }[]>`
    select pg_get_functiondef('carillon.now()'::regprocedure) as source`;
  if (own === undefined) throw new Error("this database has no carillon.now()");
  return {
    set: async (at) => {
      await sql.unsafe(`
        create or replace function carillon.now() returns timestamptz
          language sql volatile security invoker set search_path = ''
          as $$ select timestamptz '${at.toISOString()}' $$`);
    },
    release: async () => {
      await sql.unsafe(own.source);
    },
  };
}
