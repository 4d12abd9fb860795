import { Command } from "commander";
import { overApi, withConnection } from "./session.js";

/** Whom the key is, and what it may do. */
export const whoamiCommand = withConnection(new Command("whoami")).action(
  overApi(async (session) => {
    const me = await session.client.system.me();
    session.print(
      me,
      () =>
        `${me.principal.username} (${me.principal.kind})\n${me.permissions.map((one) => `  ${one}`).join("\n")}`,
    );
  }),
);
