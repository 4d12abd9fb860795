import { apiCommand, overApi } from "./session.js";

/** Whom the key is, and what it may do. */
export const whoamiCommand = apiCommand(
  "whoami",
  "show who one is by the key, and what one may do",
  false,
).action(
  overApi(async (session) => {
    const me = await session.client.system.me();
    session.print(
      me,
      () =>
        `${me.principal.username} (${me.principal.kind})\n${me.permissions.map((one) => `  ${one}`).join("\n")}`,
    );
  }),
);
