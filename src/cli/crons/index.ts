import { Command } from "commander";
import { backfillCommand, triggerCommand } from "./act.js";
import { listCommand, nextCommand, runsCommand, showCommand, ticksCommand } from "./read.js";
import { createCommand, deleteCommand, editCommand, pauseCommand, resumeCommand } from "./write.js";

/** Everything about crons, over the API. */
export const cronsCommand = new Command("crons")
  .addCommand(listCommand)
  .addCommand(showCommand)
  .addCommand(createCommand)
  .addCommand(editCommand)
  .addCommand(pauseCommand)
  .addCommand(resumeCommand)
  .addCommand(deleteCommand)
  .addCommand(triggerCommand)
  .addCommand(nextCommand)
  .addCommand(ticksCommand)
  .addCommand(runsCommand)
  .addCommand(backfillCommand);
