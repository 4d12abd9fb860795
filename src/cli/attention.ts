import { apiCommand, overApi } from "./session.js";

/** What needs somebody; of all apps, unless one is given. */
export const attentionCommand = apiCommand("attention")
  .option("--all", "of all apps that the key may read, whatever app is set")
  .addHelpText("after", "\nExample:\n  carillon attention --all")
  .action(
    overApi(async (session, { all }: { all?: true }) => {
      const query = all ? {} : { app: session.app() };
      const answer = await session.client.overview.attention(query);
      session.print(answer, () => {
        const { decided } = answer;
        const proof = `${decided.slots} slots since ${decided.since}: ${decided.onTime} on time, ${decided.late} late, ${decided.skipped} skipped, ${decided.missed} missed`;
        return answer.items.length === 0 ? `nothing needs you; ${proof}` : proof;
      });
      if (!session.json && answer.items.length > 0) {
        session.printTable(
          answer.items,
          [
            ["SEVERITY", ({ severity }) => severity],
            ["KIND", ({ kind }) => kind],
            ["SINCE", ({ since }) => since],
            ["WHAT", ({ text }) => text],
          ],
          "",
        );
      }
    }),
  );
