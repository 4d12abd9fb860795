import { apiCommand, overApi } from "./session.js";

/** Who is there to take jobs; of all apps, unless one is given. */
export const workersCommand = apiCommand("workers")
  .option("--all", "of all apps that the key may read, whatever app is set")
  .addHelpText("after", "\nExample:\n  carillon workers --all")
  .action(
    overApi(async (session, { all }: { all?: true }) => {
      const query = all ? {} : { app: session.app() };
      session.printTable(
        await session.client.overview.workers(query),
        [
          ["WORKER", ({ worker }) => worker],
          ["KIND", ({ kind }) => kind],
          ["APPS", ({ apps }) => apps ?? "all"],
          ["RUNNING", ({ running, concurrency }) => `${running} of ${concurrency}`],
          ["VERSION", ({ version }) => version],
          ["LAST SEEN", ({ lastSeenAt }) => lastSeenAt],
          ["STATE", ({ there }) => (there ? "there" : "not heard of")],
        ],
        "no workers",
      );
    }),
  );
