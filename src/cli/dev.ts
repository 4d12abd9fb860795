import { Command, InvalidArgumentError } from "commander";
import { readConfig } from "../config.js";
import { startSystem } from "../dev/system.js";
import { createLogger } from "../log.js";
import { untilSignal } from "./signals.js";

const port = (text: string) => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65535) {
    throw new InvalidArgumentError("a port is a whole number from 0 to 65535");
  }
  return value;
};

/** A whole system for development. */
export const devCommand = new Command("dev")
  .option("--port <n>", "port of the API; 0 takes a free one", port, 0)
  .option("--no-dispatcher", "do not send jobs to their targets")
  .option("--json", "print one line of JSON when ready: url, key, databaseUrl, engine")
  .action(async (options: { port: number; dispatcher: boolean; json?: true }) => {
    await using system = await startSystem({
      port: options.port,
      dispatcher: options.dispatcher,
      logger: createLogger(readConfig().logLevel === "info" ? "warn" : readConfig().logLevel),
      say: (line) => {
        if (options.json) console.error(line);
        else console.log(line);
      },
    });
    const { url, key } = system;
    const { databaseUrl, name: engine } = system.engine;
    if (options.json) console.log(JSON.stringify({ url, key, databaseUrl, engine }));
    else {
      console.log(`API       ${url}`);
      console.log(`key       ${key}`);
      console.log(`database  ${databaseUrl}`);
      console.log("Ctrl-C stops everything.");
    }
    await untilSignal();
  });
