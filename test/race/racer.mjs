// One process of a race: opens connections, waits with all of them at the gate, runs what it was given.
import postgres from "postgres";

const [url, count] = process.argv.slice(2);
const connections = Array.from({ length: Number(count) }, () =>
  postgres(url, { max: 1, onnotice: () => undefined, connection: { application_name: "racer" } }),
);

async function race(sql, gate, statements) {
  await sql`select pg_advisory_lock_shared(${gate})`;
  await sql`select pg_advisory_unlock_shared(${gate})`;
  const results = [];
  for (const statement of statements) {
    try {
      const [row] = await sql.unsafe(statement);
      results.push({ value: row === undefined ? null : Object.values(row)[0] });
    } catch (error) {
      results.push({ code: error.code ?? "", message: error.message });
    }
  }
  return results;
}

process.on("message", async ({ gate, lanes }) => {
  process.send(await Promise.all(lanes.map((lane, at) => race(connections[at], gate, lane))));
});
process.on("disconnect", () => process.exit());
await Promise.all(connections.map((sql) => sql`select 1`));
process.send("ready");
