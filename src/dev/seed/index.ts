import { parseArgs } from "node:util";
import { createLogger } from "../../log.js";
import { startSystem } from "../system.js";
import { seedCompany } from "./seed.js";

/*
 * `npm run web:demo`: a whole Carillon with a company's year in it, and the dashboard on it. Prints
 * where it is and the keys to sign in with, as one line of JSON with --json.
 */

const { values } = parseArgs({
  options: { port: { type: "string", default: "8080" }, json: { type: "boolean", default: false } },
});
const say = (line: string) => {
  if (values.json) console.error(line);
  else console.log(line);
};
await using system = await startSystem({
  port: Number(values.port),
  logger: createLogger("warn"),
  say,
});
say("telling a company's year (some ten seconds)");
const { keys, jobs, crons } = await seedCompany(system.engine.databaseUrl);
if (values.json) {
  const databaseUrl = system.engine.databaseUrl;
  console.log(JSON.stringify({ url: system.url, databaseUrl, key: keys["jonas.lindqvist"], keys }));
} else {
  console.log(`
  ${Object.keys(crons).length} crons and ${jobs.toLocaleString("en-US")} jobs

  dashboard      ${system.url}
  key            ${keys["jonas.lindqvist"] ?? ""}
  read only      ${keys["grace.mbeki"] ?? ""}

  Ctrl-C stops everything.`);
}
await new Promise((resolve) => {
  process.once("SIGINT", resolve);
  process.once("SIGTERM", resolve);
});
