import { Command } from "commander";
import { CarillonError } from "../errors.js";
import { readTargetsConfig } from "../targets/config.js";
import { FaktoryFailure } from "../targets/faktory/failure.js";
import { FaktoryTarget } from "../targets/faktory/target.js";

const queuesCommand = new Command("queues")
  .description(
    "list the queues of the Faktory servers in CARILLON_FAKTORY_<NAME>_URL, and their sizes",
  )
  .argument("[instance]", "only this server")
  .action(async (instance: string | undefined) => {
    await using faktory = new FaktoryTarget(readTargetsConfig().faktory);
    const instances = instance === undefined ? faktory.instances : [instance];
    if (instances.length === 0) {
      throw new CarillonError("invalid_config", "no Faktory server is configured", {
        hint: "for example CARILLON_FAKTORY_DEFAULT_URL=tcp://localhost:7419",
      });
    }
    for (const name of instances) {
      for (const { name: queue, size } of await queuesOf(faktory, name)) {
        console.log(`${name}  ${queue}  ${size}`);
      }
    }
  });

async function queuesOf(faktory: FaktoryTarget, instance: string) {
  try {
    return await faktory.queues(instance);
  } catch (error) {
    if (!(error instanceof FaktoryFailure)) throw error;
    throw new CarillonError("invalid_config", `${instance}: ${error.message}`, { cause: error });
  }
}

/** What the command line knows of Faktory servers. */
export const faktoryCommand = new Command("faktory").addCommand(queuesCommand);
