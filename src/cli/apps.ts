import { Command } from "commander";
import { type AppChanges, CarillonApiError } from "../client/index.js";
import { CarillonError } from "../errors.js";
import { confirm } from "./confirm.js";
import { jsonObject, list, whole } from "./parse.js";
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

interface Edit {
  name?: string;
  maxConcurrency?: number;
  agent?: Record<string, unknown>;
  unset?: string[];
}

const editCommand = apiCommand("edit", "change an app, until its manifest is deployed again", false)
  .argument("<app>", "its id")
  .option("--name <text>", "its name for people")
  .option("--max-concurrency <n>", "jobs that may run at once", whole(1, 1_000_000))
  .option("--agent <json>", "what makes it an agent; {} for its workers' onAgent", jsonObject)
  .option("--unset <fields>", "back to the default: name, agent, maxConcurrency", list)
  .addHelpText(
    "after",
    "\nExample:\n  carillon apps edit crm --max-concurrency 20\n  carillon apps edit crm --unset maxConcurrency",
  )
  .action(
    overApi(async (session, id: string, { unset = [], ...fields }: Edit) => {
      const changes: AppChanges = {
        ...Object.fromEntries(unset.map((field) => [field, null])),
        ...fields,
      };
      if (Object.keys(changes).length === 0) {
        throw new CarillonError("invalid_input", "nothing to change is given", {
          hint: "carillon apps edit --help lists the options",
        });
      }
      const app = await session.client.apps.update(id, changes);
      session.print(app, () => `changed ${app.id}`);
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
  .addCommand(editCommand)
  .addCommand(uninstallCommand);
