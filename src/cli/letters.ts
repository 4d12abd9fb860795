import { Command } from "commander";
import { CarillonError } from "../errors.js";
import { confirm } from "./confirm.js";
import { findCron } from "./find-cron.js";
import { whole } from "./parse.js";
import { apiCommand, overApi, type Session, take } from "./session.js";

interface Choice {
  all?: true;
  cron?: string;
  yes?: true;
}

const ids = (text: string, before: number[] = []) => [...before, whole(0)(text)];

/** Which letters are meant: by their ids, those of a cron, or all. */
async function chosen(session: Session, letters: number[], { all, cron }: Choice) {
  if ([letters.length > 0, all === true, cron !== undefined].filter(Boolean).length !== 1) {
    throw new CarillonError("invalid_input", "say which letters: their ids, --cron, or --all");
  }
  if (letters.length > 0) return { ids: letters };
  if (cron === undefined) return { all: true as const };
  return { cronId: (await findCron(session.client, session.app(), cron)).id };
}

const listCommand = apiCommand("list", "list the dead letters of an app, newest first")
  .option("-n, --limit <n>", "rows at most", whole(1), 20)
  .action(
    overApi(async (session, { limit }: { limit: number }) => {
      const app = session.app();
      const letters = session.client.deadLetters.list(app, { limit: Math.min(limit, 1000) });
      session.printTable(
        await take(letters, limit),
        [
          ["LETTER", ({ id }) => id],
          ["JOB", ({ jobId }) => jobId],
          ["METHOD", ({ payload }) => payload?.method],
          ["REASON", ({ reason }) => reason],
          ["TRIES", ({ attempts }) => attempts.length],
          ["BURIED", ({ buriedAt }) => buriedAt],
        ],
        "no dead letters",
      );
    }),
  );

const choosing = (command: Command) =>
  command
    .argument("[letters...]", "their ids", ids)
    .option("--cron <cron>", "those of this cron, by name or id")
    .option("--all", "all of the app");

const redriveCommand = choosing(apiCommand("redrive", "put dead letters back to work, as new jobs"))
  .addHelpText("after", "\nExample:\n  carillon letters redrive --app crm --cron nightly")
  .action(
    overApi(async (session, letters: number[] = [], choice: Choice) => {
      const body = await chosen(session, letters, choice);
      const answer = await session.client.deadLetters.redrive(session.app(), body);
      session.print(
        answer,
        () => `${answer.redriven} put back to work; ${answer.remaining} remain`,
      );
    }),
  );

const deleteCommand = choosing(apiCommand("delete", "delete dead letters for good"))
  .option("-y, --yes", "do not ask")
  .action(
    overApi(async (session, letters: number[] = [], { yes, ...choice }: Choice) => {
      const body = await chosen(session, letters, choice);
      if (!(await confirm("Delete these dead letters for good?", yes ? { yes } : {}))) return;
      const answer = await session.client.deadLetters.delete(session.app(), body);
      session.print(answer, () => `${answer.deleted} deleted; ${answer.remaining} remain`);
    }),
  );

/** What was delivered in vain too often, over the API. */
export const lettersCommand = new Command("letters")
  .addCommand(listCommand)
  .addCommand(redriveCommand)
  .addCommand(deleteCommand);
