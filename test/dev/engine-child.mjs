// Starts an engine and stays, to be killed: `node engine-child.mjs NAME`. Prints one JSON line.
import { runnerImport } from "vite";

const source = new URL("../../src/dev/engines/index.ts", import.meta.url).pathname;
const { module } = await runnerImport(source);
const engine = await module.startEngine({ engine: process.argv[2] });
console.log(JSON.stringify({ url: engine.databaseUrl, dataDir: engine.dataDir }));
setInterval(() => {}, 60_000);
