import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Command } from "commander";
import { CarillonError } from "../errors.js";
import { serve, type Hooks } from "../worker/serve.js";

/** Runs an app's hooks from a module. */
export const workerCommand = new Command("worker")
  .argument("<module>", "a JavaScript module")
  .option("--app <id>", "the app (default CARILLON_APP)")
  .addHelpText(
    "after",
    "\nExample:\n  DATABASE_URL=postgres://… carillon worker --app crm ./jobs.js",
  )
  .action(async (file: string, options: { app?: string }) => {
    const hooks = (await import(pathToFileURL(resolve(file)).href)) as Hooks;
    const { onJob, onAgent, onStart, onShutdown } = hooks;
    if (onJob === undefined && onAgent === undefined) {
      throw new CarillonError("invalid_input", `${file} exports neither onJob nor onAgent`, {
        hint: "export const onJob = async (payload, caller, ctx) => { … }",
      });
    }
    const worker = serve(options.app === undefined ? {} : { app: options.app }, {
      ...(onJob ? { onJob } : {}),
      ...(onAgent ? { onAgent } : {}),
      ...(onStart ? { onStart } : {}),
      ...(onShutdown ? { onShutdown } : {}),
    });
    await worker.stopped;
  });
