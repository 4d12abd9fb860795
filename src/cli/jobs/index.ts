import { Command } from "commander";
import { cancelCommand, enqueueCommand, moveCommand, retryCommand } from "./act.js";
import { cancelManyCommand, retryManyCommand } from "./bulk.js";
import { listCommand, logsCommand, showCommand } from "./read.js";

/** Everything about jobs, over the API. */
export const jobsCommand = new Command("jobs")
  .addCommand(listCommand)
  .addCommand(showCommand)
  .addCommand(logsCommand)
  .addCommand(enqueueCommand)
  .addCommand(cancelCommand)
  .addCommand(retryCommand)
  .addCommand(moveCommand)
  .addCommand(cancelManyCommand)
  .addCommand(retryManyCommand);
