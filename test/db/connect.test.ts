import { connect as dial, createServer, type AddressInfo, type Socket } from "node:net";
import { setImmediate as breathe, setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { connect, run } from "../../src/db/connect.js";
import { createTestDatabase } from "../helpers/database.js";

/** A way to the server that can be broken off as by a crash: with a reset, not a farewell. */
async function startBreakable(databaseUrl: string) {
  const { hostname, port } = new URL(databaseUrl);
  const callers = new Set<Socket>();
  const server = createServer((caller) => {
    const called = dial({ host: hostname, port: Number(port) });
    for (const socket of [caller, called]) socket.on("error", () => undefined);
    callers.add(caller.on("close", () => called.destroy()));
    called.on("close", () => caller.destroy());
    caller.pipe(called).pipe(caller);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(databaseUrl);
  url.hostname = "127.0.0.1";
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    breakAll() {
      for (const caller of callers) caller.resetAndDestroy();
      callers.clear();
    },
    async [Symbol.asyncDispose]() {
      this.breakAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Where in Node's loop the next statement comes from. */
const phases = { immediates: () => breathe(), timers: () => sleep(1), "what is read": () => null };

test.each(Object.entries(phases))(
  "what is sent by %s over a connection that breaks is answered or refused, at once",
  async (_, pause) => {
    await using db = await createTestDatabase();
    await using way = await startBreakable(db.url);
    const sql = connect(way.url, { max: 2, name: "breaking" });
    const outcomes = { answered: 0, refused: 0, pending: 0 };
    const ask = async () => {
      outcomes.pending += 1;
      try {
        await run(sql`select 1`);
        outcomes.answered += 1;
      } catch (error) {
        expect(error).toMatchObject({ code: "database_unavailable" });
        outcomes.refused += 1;
      }
      outcomes.pending -= 1;
    };
    for (let round = 0; round < 20; round += 1) {
      await ask();
      setTimeout(() => way.breakAll(), 2);
      // To connections at rest and to busy ones.
      for (let turn = 0; turn < 30; turn += 1) {
        const asked = ask();
        await (pause() ?? asked);
        if (turn % 3 === 0) await sleep(0);
      }
    }
    await expect.poll(() => outcomes.pending).toBe(0);
    expect(outcomes.refused).toBeGreaterThan(0);
    expect(outcomes.answered).toBeGreaterThan(outcomes.refused);
    await sql.end({ timeout: 1 });
  },
);

test("of several hosts, the next is asked where one does not answer", async () => {
  await using db = await createTestDatabase();
  await using way = await startBreakable(db.url);
  const { host, port } = new URL(way.url);
  // Nothing listens on port 1.
  const sql = connect(way.url.replace(host, `127.0.0.1:1,127.0.0.1:${port}`), { max: 1 });
  expect(await run(sql`select 1 as one`)).toEqual([{ one: 1 }]);
  await sql.end({ timeout: 1 });
});
