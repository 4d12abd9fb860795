import { Command } from "commander";
import { apiCommand, overApi, take } from "./session.js";

const listCommand = apiCommand(
  "list",
  "list the targets that were broken when last called, with their circuit breakers",
).action(
  overApi(async (session) => {
    session.printTable(
      await take(session.client.targets.list(session.app(), { limit: 500 })),
      [
        ["TARGET", ({ key }) => key],
        ["BREAKER", ({ state }) => state],
        ["FAILURES", ({ failures }) => failures],
        ["NEXT PROBE", ({ nextProbeAt }) => nextProbeAt],
        ["LAST ERROR", ({ lastError }) => `${lastError.class}: ${lastError.message}`],
      ],
      "no broken targets",
    );
  }),
);

const resetCommand = apiCommand("reset", "call a target again at once, or all of an app")
  .argument("[target]", "such as https://example.com; all where none is given")
  .action(
    overApi(async (session, key?: string) => {
      const input = key === undefined ? {} : { key };
      const answer = await session.client.targets.reset(session.app(), input);
      session.print(answer, () => `reset ${answer.reset}`);
    }),
  );

/** Targets of an app's jobs. */
export const targetsCommand = new Command("targets")
  .addCommand(listCommand)
  .addCommand(resetCommand);
