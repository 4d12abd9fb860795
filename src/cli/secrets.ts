import { Command } from "commander";
import { confirm } from "./confirm.js";
import { EXIT } from "./exit-codes.js";
import { apiCommand, overApi } from "./session.js";
import { readSecret } from "./stdin.js";

const listCommand = apiCommand("list", "list an app's secrets, without their values").action(
  overApi(async (session) => {
    const { items } = await session.client.secrets.list(session.app());
    session.printTable(
      items,
      [
        ["NAME", ({ name }) => name],
        ["SET", ({ updatedAt }) => updatedAt],
        ["LAST USED", ({ lastUsedAt }) => lastUsedAt ?? "never"],
      ],
      "no secrets",
    );
  }),
);

const setCommand = apiCommand("set", "set a secret to what the standard input holds")
  .argument("<name>", "such as HOOK_TOKEN")
  .addHelpText(
    "after",
    `
At a terminal it asks, and does not show what is typed. A line break at the end is left out.

Examples:
  carillon secrets set HOOK_TOKEN --app crm
  pass show crm/hook | carillon secrets set HOOK_TOKEN --app crm`,
  )
  .action(
    overApi(async (session, name: string) => {
      const app = session.app();
      const value = await readSecret(`Value of ${name}:`);
      const secret = await session.client.secrets.set(app, name, { value });
      session.print(secret, () => `set ${secret.name} of ${app}`);
    }),
  );

const deleteCommand = apiCommand("delete", "delete a secret; jobs that refer to it then fail")
  .argument("<name>")
  .option("-y, --yes", "do not ask")
  .action(
    overApi(async (session, name: string, options: { yes?: true }) => {
      const app = session.app();
      if (!(await confirm(`Delete the secret ${name} of ${app}?`, options))) return;
      const answer = await session.client.secrets.delete(app, name);
      session.print(answer, () => `deleted ${name}`);
    }),
  );

const reencryptCommand = new Command("reencrypt")
  .description("encrypt everything in DATABASE_URL anew, by CARILLON_SECRETS_KEY")
  .option("--json", "print JSON")
  .addHelpText(
    "after",
    `
To replace the key: set CARILLON_SECRETS_KEY to the new one and CARILLON_SECRETS_KEY_PREVIOUS to the old one wherever
Carillon runs, then run this, then drop the previous key. Exit code 1 when something could not be read.`,
  )
  .action(async ({ json }: { json?: true }) => {
    const result = await (await import("./reencrypt.js")).reencrypt();
    if (json) console.log(JSON.stringify(result));
    else console.log(`encrypted anew: ${result.resealed}`);
    for (const { appId, name, why } of json ? [] : result.unreadable) {
      console.error(`not read: ${name} of ${appId}: ${why}`);
    }
    if (result.unreadable.length > 0) process.exitCode = EXIT.failure;
  });

/** What apps keep secret. */
export const secretsCommand = new Command("secrets")
  .addCommand(listCommand)
  .addCommand(setCommand)
  .addCommand(deleteCommand)
  .addCommand(reencryptCommand);
