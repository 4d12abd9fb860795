import { Command } from "commander";
import { CarillonApiError } from "../client/index.js";
import { confirm } from "./confirm.js";
import { apiCommand, overApi } from "./session.js";

const listCommand = apiCommand(
  "list",
  "list the apps in which one holds any permission",
  false,
).action(
  overApi(async (session) => {
    session.printTable(
      await session.client.apps.list(),
      [
        ["APP", ({ id }) => id],
        ["NAME", ({ name }) => name],
        ["AT ONCE", ({ maxConcurrency }) => maxConcurrency],
        ["CREATED", ({ createdAt }) => createdAt],
        ["UPDATED", ({ updatedAt }) => updatedAt],
      ],
      "no apps",
    );
  }),
);

const showCommand = apiCommand("show", "show an app", false)
  .argument("<app>", "its id")
  .action(
    overApi(async (session, id: string) => {
      const app = (await session.client.apps.list()).find((one) => one.id === id);
      if (app === undefined) {
        throw new CarillonApiError(404, { code: "app_not_found", detail: `no app "${id}"` });
      }
      session.printFields(app);
    }),
  );

const uninstallCommand = apiCommand(
  "uninstall",
  "uninstall an app: its crons go, its history stays",
  false,
)
  .argument("<app>", "its id")
  .option("-y, --yes", "do not ask")
  .action(
    overApi(async (session, id: string, options: { yes?: true }) => {
      if (!(await confirm(`Uninstall the app ${id} with all its crons?`, options))) return;
      const answer = await session.client.apps.uninstall(id);
      session.print(answer, () => `uninstalled ${id}`);
    }),
  );

/** Apps, over the API. */
export const appsCommand = new Command("apps")
  .addCommand(listCommand)
  .addCommand(showCommand)
  .addCommand(uninstallCommand);
