import { Option } from "commander";
import type { LogLine } from "../../client/index.js";
import { findCron } from "../find-cron.js";
import { Progress } from "../output/progress.js";
import { plain, time } from "../output/text.js";
import { list, whole } from "../parse.js";
import { apiCommand, overApi, type Session, take } from "../session.js";

interface ListOptions {
  status?: string[];
  cron?: string;
  tag?: string;
  target?: string[];
  limit: number;
}

export const listCommand = apiCommand("list", "list the jobs of an app, newest first")
  .option(
    "--status <list>",
    "pending, queued, running, completed, failed, canceled; live, finished",
    list,
  )
  .option("--cron <cron>", "of this cron, by name or id")
  .option("--tag <tag>", "with this tag")
  .option("--target <list>", "http, agent, faktory, container; any, none", list)
  .option("-n, --limit <n>", "rows at most", whole(1), 20)
  .addHelpText("after", "\nExample:\n  carillon jobs list --app crm --status failed -n 100")
  .action(
    overApi(async (session, { status, cron, tag, target, limit }: ListOptions) => {
      const app = session.app();
      const query = {
        limit: Math.min(limit, 1000),
        ...(status === undefined ? {} : { status: status.join(",") }),
        ...(cron === undefined ? {} : { cronId: (await findCron(session.client, app, cron)).id }),
        ...(tag === undefined ? {} : { tag }),
        ...(target === undefined ? {} : { target: target.join(",") }),
      };
      session.printTable(
        await take(session.client.jobs.list(app, query), limit),
        [
          ["JOB", ({ msgId }) => msgId],
          ["STATUS", (job) => job.status],
          ["METHOD", ({ payload }) => payload?.method],
          ["TARGET", ({ target }) => target?.type],
          ["TRIGGER", ({ trigger }) => trigger],
          ["TRY", ({ attempt, maxAttempts }) => `${attempt}/${maxAttempts}`],
          ["ENQUEUED", ({ enqueuedAt }) => enqueuedAt],
          ["FINISHED", ({ finishedAt }) => finishedAt],
        ],
        "no jobs",
      );
    }),
  );

export const showCommand = apiCommand("show", "show all of a job")
  .argument("<job>", "its id", whole(0))
  .action(
    overApi(async (session, id: number) => {
      session.printFields(await session.client.jobs.get(session.app(), id));
    }),
  );

interface LogOptions {
  follow?: true;
  level?: string[];
  search?: string;
  attempt?: number;
  limit?: number;
}

export const logsCommand = apiCommand("logs", "print a job's log")
  .argument("<job>", "its id", whole(0))
  .option("-f, --follow", "go on until the job has ended; exit code 1 unless it completed")
  .addOption(
    new Option("--level <list>", "debug, info, warn, error").argParser(list).conflicts("follow"),
  )
  .addOption(new Option("--search <text>", "lines that hold this text").conflicts("follow"))
  .addOption(
    new Option("--attempt <n>", "lines of this attempt").argParser(whole(1)).conflicts("follow"),
  )
  .addOption(new Option("-n, --limit <n>", "lines at most").argParser(whole(1)).conflicts("follow"))
  .addHelpText(
    "after",
    "\nWith --json, a line of JSON for each line of the log.\n\nExample:\n  carillon jobs logs 42 --app crm -f",
  )
  .action(
    overApi(async (session, id: number, { follow, level, search, attempt, limit }: LogOptions) => {
      if (follow) {
        await followLog(session, id);
        return;
      }
      const query = {
        limit: Math.min(limit ?? 1000, 1000),
        ...(level === undefined ? {} : { level: level.join(",") }),
        ...(search === undefined ? {} : { q: search }),
        ...(attempt === undefined ? {} : { attempt }),
      };
      let left = limit ?? Infinity;
      for await (const line of session.client.jobs.logs(session.app(), id, query)) {
        if (left-- <= 0) break;
        session.print(line, () => asText(line));
      }
    }),
  );

async function followLog(session: Session, id: number): Promise<void> {
  const progress = new Progress();
  for await (const { event, data } of session.client.jobs.followLog(session.app(), id)) {
    if (event === "log") session.print(data, () => asText(data));
    if (event === "progress" && !session.json)
      progress.show(`${data.percent} % ${plain(data.note ?? "")}`.trim());
    if (event !== "end") continue;
    session.note(`job ${id}: ${data.status ?? "gone"}`);
    if (data.status !== "completed") process.exitCode = 1;
  }
}

function asText({ at, level, message, data }: LogLine): string {
  const more = data === null || data === undefined ? "" : ` ${plain(JSON.stringify(data))}`;
  return `${time(at)} ${level.padEnd(5)} ${plain(message)}${more}`;
}
