import { Command } from "commander";
import { seconds } from "./parse.js";
import { apiCommand, overApi } from "./session.js";

const listCommand = apiCommand(
  "list",
  "list the keys that an app's requests are signed by, without the keys themselves",
).action(
  overApi(async (session) => {
    const { items } = await session.client.signingKeys.list(session.app());
    session.printTable(
      items,
      [
        ["ID", ({ id }) => id],
        ["CREATED", ({ createdAt }) => createdAt],
        ["SIGNS UNTIL", ({ expiresAt }) => expiresAt ?? "it is replaced"],
      ],
      "no signing keys",
    );
  }),
);

const rotateCommand = apiCommand("rotate", "make a new signing key and print it this once")
  .option("--overlap <time>", "how long the one before signs as well, such as 1h", seconds)
  .action(
    overApi(async (session, { overlap }: { overlap?: number }) => {
      const input = overlap === undefined ? {} : { overlap };
      const made = await session.client.signingKeys.rotate(session.app(), input);
      session.print(made, () => made.secret);
    }),
  );

/** What an app's requests to HTTP targets are signed by. */
export const signingKeysCommand = new Command("signing-keys")
  .addCommand(listCommand)
  .addCommand(rotateCommand);
