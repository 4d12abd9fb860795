import { Command } from "commander";
import { CarillonError } from "../errors.js";
import { confirm } from "./confirm.js";
import { list } from "./parse.js";
import { apiCommand, overApi, take } from "./session.js";

interface Grants {
  permissions?: string[];
  inherits?: string[];
}

const grantsOf = ({ permissions, inherits }: Grants) => ({
  ...(permissions === undefined ? {} : { permissions }),
  ...(inherits === undefined ? {} : { inherits }),
});

const listCommand = apiCommand("list", "list roles", false).action(
  overApi(async (session) => {
    session.printTable(
      await take(session.client.roles.list({ limit: 500 })),
      [
        ["ROLE", ({ name }) => name],
        ["APP", ({ appId }) => appId],
        ["MEMBERS", ({ members }) => members],
        ["INHERITS", ({ inherits }) => inherits],
        ["PERMISSIONS", ({ permissions }) => permissions],
      ],
      "no roles",
    );
  }),
);

const showCommand = apiCommand("show", "show a role and all it grants", false)
  .argument("<role>")
  .action(
    overApi(async (session, name: string) => {
      session.printFields(await session.client.roles.get(name));
    }),
  );

const createCommand = apiCommand(
  "create",
  "create a role that grants what one holds oneself",
  false,
)
  .argument("<role>")
  .requiredOption(
    "--permissions <list>",
    "joined by commas, such as app:crm:cron.read,app:crm:job.*",
    list,
  )
  .option("--inherits <list>", "roles whose permissions it grants besides", list)
  .action(
    overApi(async (session, name: string, { permissions = [], ...options }: Grants) => {
      const role = await session.client.roles.create({ name, permissions, ...grantsOf(options) });
      session.print(role, () => `created ${role.name}: ${role.granted.join(", ")}`);
    }),
  );

const editCommand = apiCommand(
  "edit",
  "change what a role grants, at once for all who hold it",
  false,
)
  .argument("<role>")
  .option("--permissions <list>", "joined by commas", list)
  .option("--inherits <list>", "joined by commas", list)
  .action(
    overApi(async (session, name: string, options: Grants) => {
      const grants = grantsOf(options);
      if (Object.keys(grants).length === 0) {
        throw new CarillonError("invalid_input", "give --permissions or --inherits");
      }
      const role = await session.client.roles.update(name, grants);
      session.print(role, () => `changed ${role.name}: ${role.granted.join(", ")}`);
    }),
  );

const deleteCommand = apiCommand(
  "delete",
  "delete a role: whoever holds it loses what it grants",
  false,
)
  .argument("<role>")
  .option("-y, --yes", "do not ask")
  .action(
    overApi(async (session, name: string, options: { yes?: true }) => {
      if (!(await confirm(`Delete the role ${name}?`, options))) return;
      const answer = await session.client.roles.delete(name);
      session.print(answer, () => `deleted ${name}`);
    }),
  );

/** Roles, over the API. */
export const rolesCommand = new Command("roles")
  .addCommand(listCommand)
  .addCommand(showCommand)
  .addCommand(createCommand)
  .addCommand(editCommand)
  .addCommand(deleteCommand);
