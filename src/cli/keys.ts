import { Command } from "commander";
import { usesApi } from "./either-way.js";
import { list } from "./parse.js";
import { apiCommand, openSession, overApi, type Session, take } from "./session.js";
import { findUser } from "./users.js";

export interface CreateOptions {
  name: string;
  scopes?: string[];
  expiresAt?: string;
  json?: true;
  url?: string;
}

const createCommand = apiCommand("create", "make an API key and print it this once", false)
  .argument("<username>", 'for example "admin"')
  .option("--name <name>", "what the key is for", "cli")
  .option("--scopes <list>", "what it carries of the user's permissions, joined by commas", list)
  .option("--expires-at <time>", "when it stops working")
  .addHelpText(
    "after",
    `
Straight in the database DATABASE_URL, whoever has that; or over the API with --url (or without DATABASE_URL),
which only the bootstrap key may do.

Examples:
  DATABASE_URL=postgres://… carillon keys create admin
  carillon keys create importer --name nightly-import --scopes app:crm:invoke`,
  )
  .action(async (username: string, options: CreateOptions) => {
    const made = usesApi(options)
      ? await overTheApi(await openSession(options), username, options)
      : await (await import("./make-key.js")).makeKey(username, options);
    console.log(options.json ? JSON.stringify(made) : made.key);
  });

async function overTheApi({ client }: Session, username: string, options: CreateOptions) {
  const { name, scopes, expiresAt } = options;
  const me = await client.system.me();
  const own = me.principal.username === username;
  return client.keys.create({
    name,
    ...(own ? {} : { principalId: (await findUser(client, username)).id }),
    ...(scopes === undefined ? {} : { scopes }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  });
}

const listCommand = apiCommand("list", "list one's own API keys, another user's, or all", false)
  .option("--user <user>", "whose, by name or id")
  .option("--all", "everybody's")
  .action(
    overApi(async (session, { user, all }: { user?: string; all?: true }) => {
      const { client } = session;
      const query = {
        limit: 500,
        ...(user === undefined ? {} : { principalId: (await findUser(client, user)).id }),
        ...(all ? { all } : {}),
      };
      session.printTable(
        await take(client.keys.list(query)),
        [
          ["NAME", ({ name }) => name],
          ["USER", ({ username }) => username],
          ["PREFIX", ({ prefix }) => `crl_${prefix}…`],
          ["STATUS", ({ status }) => status],
          ["SCOPES", ({ scopes }) => scopes ?? "all"],
          ["LAST USED", ({ lastUsedAt }) => lastUsedAt ?? "never"],
          ["EXPIRES", ({ expiresAt }) => expiresAt],
          ["ID", ({ id }) => id],
        ],
        "no keys",
      );
    }),
  );

const revokeCommand = apiCommand(
  "revoke",
  "revoke an API key: it is refused from the next request on",
  false,
)
  .argument("<key>", "its id")
  .action(
    overApi(async (session, id: string) => {
      const key = await session.client.keys.revoke(id);
      session.print(key, () => `revoked ${key.name} of ${key.username}`);
    }),
  );

/** API keys. */
export const keysCommand = new Command("keys")
  .addCommand(listCommand)
  .addCommand(createCommand)
  .addCommand(revokeCommand);
