import { Command, Option } from "commander";
import { type CarillonClient, CarillonApiError, type Principal } from "../client/index.js";
import { confirm } from "./confirm.js";
import { list } from "./parse.js";
import { apiCommand, overApi, take } from "./session.js";

/** A user or service account by its name or id. */
export async function findUser(client: CarillonClient, ref: string): Promise<Principal> {
  for await (const user of client.principals.list({ limit: 500 })) {
    if (user.username === ref || user.id === ref.toLowerCase()) return user;
  }
  throw new CarillonApiError(404, { code: "principal_not_found", detail: `no user "${ref}"` });
}

const listCommand = apiCommand("list", "list users and service accounts", false)
  .addOption(new Option("--kind <kind>", "only these").choices(["user", "service", "system"]))
  .action(
    overApi(async (session, options: { kind?: "user" | "service" | "system" }) => {
      session.printTable(
        await take(session.client.principals.list({ ...options, limit: 500 })),
        [
          ["USERNAME", ({ username }) => username],
          ["KIND", ({ kind }) => kind],
          ["STATE", ({ enabled }) => (enabled ? "enabled" : "disabled")],
          ["ROLES", ({ roles }) => roles],
          ["ID", ({ id }) => id],
        ],
        "no users",
      );
    }),
  );

const showCommand = apiCommand("show", "show a user and what the user may do", false)
  .argument("<user>", "name or id")
  .action(
    overApi(async (session, ref: string) => {
      session.printFields(await findUser(session.client, ref));
    }),
  );

const createCommand = apiCommand("create", "create a user or a service account", false)
  .argument("<username>")
  .option("--service", "a service account")
  .option("--roles <list>", "roles to hold from the start", list)
  .addHelpText(
    "after",
    "\nExample:\n  carillon users create importer --service --roles app:crm:admin",
  )
  .action(
    overApi(async (session, username: string, options: { service?: true; roles?: string[] }) => {
      const { service, roles } = options;
      const user = await session.client.principals.create({
        username,
        ...(service ? { kind: "service" } : {}),
        ...(roles === undefined ? {} : { roles }),
      });
      session.print(user, () => `created ${user.username} (${user.id})`);
    }),
  );

const enabling = (name: string, description: string, enabled: boolean) =>
  apiCommand(name, description, false)
    .argument("<user>", "name or id")
    .action(
      overApi(async (session, ref: string) => {
        const { id } = await findUser(session.client, ref);
        const user = await session.client.principals.update(id, { enabled });
        session.print(user, () => `${name}d ${user.username}`);
      }),
    );

const deleteCommand = apiCommand(
  "delete",
  "delete a user with all keys; the user's crons are denied",
  false,
)
  .argument("<user>", "name or id")
  .option("-y, --yes", "do not ask")
  .action(
    overApi(async (session, ref: string, options: { yes?: true }) => {
      const { id, username } = await findUser(session.client, ref);
      if (!(await confirm(`Delete the user ${username}?`, options))) return;
      const answer = await session.client.principals.delete(id);
      session.print(answer, () => `deleted ${username}`);
    }),
  );

const granting = (name: "grant" | "revoke", description: string) =>
  apiCommand(name, description, false)
    .argument("<user>", "name or id")
    .argument("<role>")
    .action(
      overApi(async (session, ref: string, role: string) => {
        const { id } = await findUser(session.client, ref);
        const { principals } = session.client;
        const user = await (name === "grant"
          ? principals.grantRole(id, role)
          : principals.revokeRole(id, role));
        session.print(user, () => `${user.username} holds: ${user.roles.join(", ") || "no role"}`);
      }),
    );

/** Users and service accounts, over the API. */
export const usersCommand = new Command("users")
  .addCommand(listCommand)
  .addCommand(showCommand)
  .addCommand(createCommand)
  .addCommand(enabling("disable", "refuse a user's keys and deny the user's crons", false))
  .addCommand(enabling("enable", "let a disabled user in again", true))
  .addCommand(deleteCommand)
  .addCommand(granting("grant", "give a role"))
  .addCommand(granting("revoke", "take a role away"));
