import { chmod, readdir, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { commit, Logger } from "graphile-migrate";
import { connect } from "../db/connect.js";
import { untilDisconnected } from "../db/schema.js";
import { MIGRATIONS_FOLDER } from "../deploy/migrations.js";
import { startEngine } from "./engines/index.js";

/*
 * `npm run sql:commit`: writes sql/committed/ anew from sql/fixtures/. Until the first release
 * there is one baseline and nobody to upgrade; from then on migrations are only ever added.
 */

const QUEUES_SQL = fileURLToPath(new URL("../../src/dev/queues.sql", import.meta.url));
const BASELINE = "--!include baseline.sql\n";

await using engine = await startEngine({ database: "carillon" });
const admin = connect(engine.databaseUrl, { max: 1 });
await admin.unsafe("create database shadow");
for (const database of ["carillon", "shadow"]) {
  const sql = connect(urlFor(database), { max: 1 });
  await sql.file(QUEUES_SQL);
  await sql.end();
}
await admin.end();

const committed = `${MIGRATIONS_FOLDER}/committed`;
for (const name of await readdir(committed)) await rm(`${committed}/${name}`);
await writeFile(`${MIGRATIONS_FOLDER}/current/1-current.sql`, BASELINE);
await commit(
  {
    connectionString: engine.databaseUrl,
    shadowConnectionString: urlFor("shadow"),
    rootConnectionString: urlFor("postgres"),
    migrationsFolder: MIGRATIONS_FOLDER,
    // The shadow database is made anew for each commit.
    afterReset: [{ _: "sql", file: "../src/dev/queues.sql", root: true }],
    logger: new Logger(() => (_level, message) => {
      console.log(message);
    }),
  },
  "baseline",
);
await writeFile(`${MIGRATIONS_FOLDER}/current/1-current.sql`, "-- The next migration goes here.\n");
// Its pool lingers for a moment, and would end this process when the server goes away under it.
const watcher = connect(urlFor("carillon"), { max: 1, name: "carillon sql-commit" });
await untilDisconnected(watcher, "");
await watcher.end();
// graphile-migrate makes the file read-only for others, who could then not install from it.
for (const name of await readdir(committed)) await chmod(`${committed}/${name}`, 0o644);

function urlFor(database: string): string {
  const url = new URL(engine.databaseUrl);
  url.pathname = `/${database}`;
  return url.href;
}
