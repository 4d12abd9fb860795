import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connect, run, type Queryable, type Sql } from "../../src/db/connect.js";
import { Transactions } from "../../src/db/transactions.js";
import { createTestDatabase, type TestDatabase } from "../helpers/database.js";

let db: TestDatabase;
let sql: Sql;
let transactions: Transactions;
beforeAll(async () => {
  db = await createTestDatabase();
  sql = connect(db.url, { max: 2, name: "transactions" });
  transactions = new Transactions(sql, 2);
  await sql`create table notes (text text primary key)`;
});
afterAll(async () => {
  await transactions[Symbol.asyncDispose]();
  await sql.end({ timeout: 5 });
  await db.drop();
});
beforeEach(() => sql`truncate notes`);

const note = (to: Queryable, text: string) => run(to`insert into notes values (${text})`);
const notes = async () =>
  (await sql<{ text: string }[]>`select text from notes order by 1`).map(({ text }) => text);
const backend = async (to: Queryable) => {
  const [row] = await run(to<{ pid: number }[]>`select pg_backend_pid() as pid`);
  return row?.pid ?? 0;
};

/** Ends a backend, and waits until it has gone. */
async function end(pid: number): Promise<void> {
  await sql`select pg_terminate_backend(${pid}, 10000)`;
}

describe("a transaction", () => {
  test("keeps all of its work, seen by nobody before", async () => {
    const result = await transactions.run(async (tx) => {
      await note(tx, "a");
      expect(await notes()).toEqual([]);
      await note(tx, "b");
      return 7;
    });
    expect(result).toBe(7);
    expect(await notes()).toEqual(["a", "b"]);
  });

  test("keeps nothing when its work throws, or a statement fails", async () => {
    const thrown = transactions.run(async (tx) => {
      await note(tx, "a");
      throw new Error("no");
    });
    await expect(thrown).rejects.toThrow("no");
    const failed = transactions.run(async (tx) => {
      await note(tx, "a");
      await note(tx, "a").catch(() => undefined);
    });
    // What a failed statement leaves cannot be committed, whoever has caught its error.
    await expect(failed).rejects.toThrow("a statement of the transaction had failed");
    expect(await notes()).toEqual([]);
  });

  test("takes parts of statements, objects, and statements at once", async () => {
    const rows = await transactions.run(async (tx) => {
      const where = tx`value ->> 'a' = ${"1"}`;
      const select = tx<{ n: number }[]>`
        select count(*)::int as n from jsonb_array_elements(${tx.json([{ a: 1 }, { a: 2 }])}) as value
        where ${where}`;
      const [one, two] = await Promise.all([run(select), backend(tx), note(tx, "at once")]);
      return [...one, two > 0];
    });
    expect(rows).toEqual([{ n: 1 }, true]);
    expect(await notes()).toEqual(["at once"]);
  });

  test("waits for its turn where there are as many as there may be", async () => {
    let running = 0;
    let most = 0;
    let open: () => void = () => undefined;
    const together = new Promise<void>((resolve) => (open = resolve));
    await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        transactions.run(async (tx) => {
          most = Math.max(most, (running += 1));
          if (running === 2) open();
          await together;
          await note(tx, `n${n}`);
          running -= 1;
        }),
      ),
    );
    expect(most).toBe(2);
    expect(await notes()).toHaveLength(8);
  });
});

describe("when its connection is lost", () => {
  test("between two statements, nothing follows over another one", async () => {
    const lost = transactions.run(async (tx) => {
      await note(tx, "before");
      await end(await backend(tx));
      await note(tx, "after").catch(() => undefined);
      await note(tx, "and after that");
    });
    await expect(lost).rejects.toMatchObject({ code: "database_unavailable" });
    expect(await notes()).toEqual([]);
    await transactions.run((tx) => note(tx, "the next"));
    expect(await notes()).toEqual(["the next"]);
  });

  test("in the middle of a statement", async () => {
    const lost = transactions.run(async (tx) => {
      await note(tx, "before");
      const pid = await backend(tx);
      await Promise.all([run(tx`select pg_sleep(60)`), end(pid)]);
    });
    await expect(lost).rejects.toMatchObject({ code: "database_unavailable" });
    expect(await notes()).toEqual([]);
  });

  test("right before the end", async () => {
    const lost = transactions.run(async (tx) => {
      await note(tx, "before");
      await end(await backend(tx));
    });
    await expect(lost).rejects.toMatchObject({ code: "database_unavailable" });
    expect(await notes()).toEqual([]);
  });

  test("while it rests, the next takes a new one", async () => {
    const pid = await transactions.run(backend);
    await end(pid);
    await expect
      .poll(() => transactions.run(backend).catch(() => pid), { timeout: 5000 })
      .not.toBe(pid);
  });
});

test("what is over leaves no connection behind", async () => {
  const own = connect(db.url, { max: 1, name: "leaving" });
  const leaving = new Transactions(own);
  await leaving.run((tx) => note(tx, "x"));
  await leaving[Symbol.asyncDispose]();
  await own.end();
  await expect
    .poll(async () => {
      const rows = await sql`select from pg_stat_activity where application_name = 'leaving'`;
      return rows.length;
    })
    .toBe(0);
});
