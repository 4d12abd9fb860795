import { InvalidArgumentError, Command } from "commander";
import { findCron } from "./find-cron.js";
import { whole } from "./parse.js";
import { apiCommand, overApi, type Session } from "./session.js";

interface Target {
  cron?: string;
}

/** `none` is a word here because commander makes an empty text of null. */
type Setting = number | "none";

interface Change extends Target {
  days?: Setting;
  keepLast?: Setting;
  keepFailed?: Setting;
}

/** A number, or `none` for what is not set here. */
const orNone = (most: number) => (text: string) => {
  if (text === "none") return text;
  try {
    return whole(1, most)(text);
  } catch {
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${most}, or none.`);
  }
};

async function read(session: Session, cron: string | undefined) {
  const app = session.app();
  const id = cron === undefined ? undefined : (await findCron(session.client, app, cron)).id;
  const { retention } = session.client;
  const now = id === undefined ? await retention.ofApp(app) : await retention.ofCron(app, id);
  return { app, id, now };
}

const showCommand = apiCommand("show", "how long finished jobs are kept")
  .option("--cron <cron>", "those of this cron, by name or id")
  .action(
    overApi(async (session, { cron }: Target) => {
      session.printFields((await read(session, cron)).now);
    }),
  );

const setCommand = apiCommand("set", "change how long finished jobs are kept")
  .option("--cron <cron>", "those of this cron, by name or id")
  .option("--days <n>", "so many days; none: as the app, or as the installation", orNone(3650))
  .option("--keep-last <n>", "so many of the last ones beyond that, or none", orNone(10_000))
  .option(
    "--keep-failed <n>",
    "so many of the last failed ones beyond that, or none",
    orNone(10_000),
  )
  .addHelpText(
    "after",
    "\nExample:\n  carillon retention set --app crm --days 30 --keep-failed 100",
  )
  .action(
    overApi(async (session, { cron, ...change }: Change) => {
      const { app, id, now } = await read(session, cron);
      const kept = (given: Setting | undefined, before: number | null) =>
        given === "none" ? null : (given ?? before);
      const body = {
        days: kept(change.days, now.days),
        keepLast: kept(change.keepLast, now.keepLast),
        keepFailed: kept(change.keepFailed, now.keepFailed),
      };
      const { retention } = session.client;
      const answer =
        id === undefined
          ? await retention.setForApp(app, body)
          : await retention.setForCron(app, id, body);
      session.printFields(answer);
    }),
  );

/** How long finished jobs are kept, over the API. */
export const retentionCommand = new Command("retention")
  .addCommand(showCommand)
  .addCommand(setCommand);
