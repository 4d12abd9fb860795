// One process of racers: many connections, each of which drives again and again, with all drivers in
// turn, until it is told to stop. Its connections may be terminated at any time; it opens new ones.
import { setTimeout as pause } from "node:timers/promises";

import postgres from "postgres";

const [url, count] = process.argv.slice(2);
const DRIVERS = [
  "select carillon.fire_beat(1)",
  "select carillon.tick()",
  "select carillon.fire_due('api')",
  "select carillon.admin_tick('{*}')",
  "select carillon.tick()",
  "select carillon.fire_beat(1)",
];
const LOST = new Set(["57P01", "CONNECTION_CLOSED", "CONNECTION_ENDED", "ECONNRESET"]);

let stopped = false;
let lost = 0;
const errors = {};

async function drive(sql, lane) {
  for (let step = lane; !stopped; step += 1) {
    // The referee has to get a word in.
    await pause(Math.random() * 200);
    try {
      await sql.unsafe(DRIVERS[step % DRIVERS.length]);
    } catch (error) {
      if (LOST.has(error.code)) lost += 1;
      else errors[error.message] = (errors[error.message] ?? 0) + 1;
    }
  }
}

const connections = Array.from({ length: Number(count) }, () =>
  postgres(url, {
    max: 1,
    backoff: () => 0.05,
    // Its rejection would go unhandled when a connection is terminated while it is being set up.
    fetch_types: false,
    onnotice: () => undefined,
    connection: { application_name: "racer" },
  }),
);
process.on("disconnect", () => process.exit());
await Promise.all(connections.map((sql) => sql`select 1`));
process.send("ready");
process.once("message", async () => {
  const driving = Promise.all(connections.map(drive));
  process.once("message", async () => {
    stopped = true;
    await driving;
    await Promise.all(connections.map((sql) => sql.end()));
    process.send({ lost, errors });
  });
  await driving;
});
