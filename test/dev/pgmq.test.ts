import { expect, test } from "vitest";

import { pgmqFiles, pgmqSql, pgmqVersion } from "../../src/dev/pgmq.js";
import { startEngine } from "../../src/dev/engines/index.js";
import { connect } from "../helpers/database.js";

test("pgmq's files come out of the tarball whole", async () => {
  const files = await pgmqFiles();
  const version = await pgmqVersion();
  expect(version).toMatch(/^1\.\d+\.\d+$/);
  expect([...files.keys()]).toEqual(
    expect.arrayContaining(["pgmq.control", `pgmq--${version}.sql`]),
  );
  expect(await pgmqSql()).toContain("CREATE FUNCTION pgmq.send(");
});

test("the plain SQL makes a working queue without the extension", async () => {
  await using engine = await startEngine({ engine: "embedded" });
  await using sql = Object.assign(connect(engine.databaseUrl), {
    async [Symbol.asyncDispose]() {
      await sql.end();
    },
  });
  await sql.unsafe(await pgmqSql());
  await sql`select pgmq.create('plain')`;
  const [sent] = await sql<{ id: number }[]>`select pgmq.send('plain', '{"n": 1}') as id`;
  const [read] = await sql`select msg_id, message from pgmq.read('plain', 30, 1)`;
  expect(read).toEqual({ msg_id: sent?.id, message: { n: 1 } });
  expect(await sql`select 1 from pg_extension where extname = 'pgmq'`).toHaveLength(0);
});
