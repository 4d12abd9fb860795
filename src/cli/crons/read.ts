import { Option } from "commander";
import type { Cron } from "../../client/index.js";
import { CarillonError } from "../../errors.js";
import { findCron } from "../find-cron.js";
import { list, whole } from "../parse.js";
import { apiCommand, overApi, rowsOf, take } from "../session.js";

/** A cron's state in a word. */
function stateOf({ enabled, denied, completedAt, paused }: Cron): string {
  if (completedAt !== null) return "completed";
  if (!enabled) return paused?.note ? `paused: ${paused.note}` : "paused";
  return denied === null ? "on" : `denied: ${denied}`;
}

export const listCommand = apiCommand("list", "list the crons of an app, or with --all of all apps")
  .option("--all", "crons across all apps")
  .addHelpText(
    "after",
    "\nExamples:\n  carillon crons list --app crm\n  carillon crons list --all --json | jq '.[].name'",
  )
  .action(
    overApi(async (session, { all }: { all?: true }) => {
      const { crons } = session.client;
      const rows = all ? await crons.listAll() : await crons.list(session.app());
      session.printTable(
        rows,
        [
          ...(all ? [["APP", (cron: Cron) => cron.appId] as const] : []),
          ["NAME", ({ name }) => name],
          ["SCHEDULE", ({ schedule }) => schedule],
          ["TIMEZONE", ({ timezone }) => timezone],
          ["STATE", stateOf],
          ["NEXT", ({ nextFireAt }) => nextFireAt],
        ],
        "no crons",
      );
    }),
  );

export const showCommand = apiCommand("show", "show all of a cron")
  .argument("<cron>", "name or id")
  .action(
    overApi(async (session, ref: string) => {
      session.printFields(await findCron(session.client, session.app(), ref));
    }),
  );

export const nextCommand = apiCommand("next", "show the next slots of a cron, or of a schedule")
  .argument("[cron]", "name or id")
  .option("--schedule <schedule>", "a schedule instead of a cron")
  .option("--timezone <zone>", "its time zone; default GMT")
  .option("-n, --count <n>", "how many", whole(1, 1000), 10)
  .option("--from <time>", "slots after this time; default now")
  .addHelpText(
    "after",
    '\nExamples:\n  carillon crons next nightly --app crm\n  carillon crons next --schedule "0 0 $ * *" --timezone Europe/London -n 3',
  )
  .action(
    overApi(
      async (
        session,
        ref: string | undefined,
        options: { schedule?: string; timezone?: string; count: number; from?: string },
      ) => {
        const { schedule, timezone, count, from } = options;
        if ((ref === undefined) === (schedule === undefined)) {
          throw new CarillonError("invalid_input", "give either a cron or --schedule");
        }
        const what =
          ref === undefined
            ? { schedule: schedule ?? "", ...(timezone === undefined ? {} : { timezone }) }
            : asSchedule(await findCron(session.client, session.app(), ref));
        const query = { ...what, count, ...(from === undefined ? {} : { from }) };
        const preview = await session.client.schedules.preview(query);
        session.note(preview.description);
        if (session.json) session.print(preview, String);
        else {
          session.printTable(
            preview.slots,
            [
              ["SLOT", ({ at }) => at],
              ["LOCAL", ({ local, offset }) => `${local.replace("T", " ")} ${offset}`],
              ["NOTE", ({ note }) => note],
            ],
            "no slot follows",
          );
        }
      },
    ),
  );

const asSchedule = ({ schedule, timezone, startsAt, endsAt, dst }: Cron) => ({
  ...{ schedule, timezone, ...dst },
  ...(startsAt === null ? {} : { startsAt }),
  ...(endsAt === null ? {} : { endsAt }),
});

const limit = () => new Option("-n, --limit <n>", "rows at most").argParser(whole(1)).default(20);

export const ticksCommand = apiCommand("ticks", "list the decided slots of a cron, newest first")
  .argument("<cron>", "name or id")
  .option(
    "--outcome <list>",
    "enqueued, skipped, replaced, caught_up, missed, denied, failed",
    list,
  )
  .option("--from <time>", "slots at or after this time")
  .option("--to <time>", "slots at or before this time")
  .addOption(limit())
  .action(
    overApi(
      async (
        session,
        ref: string,
        {
          limit: most,
          ...filter
        }: { limit: number; outcome?: string[]; from?: string; to?: string },
      ) => {
        const { id } = await findCron(session.client, session.app(), ref);
        const { outcome, ...range } = filter;
        const query = {
          ...range,
          limit: Math.min(most, 500),
          ...(outcome === undefined ? {} : { outcome: outcome.join(",") }),
        };
        const rows = await take(session.client.crons.ticks(session.app(), id, query), most);
        session.printTable(
          rows,
          [
            ["SLOT", ({ scheduledFor }) => scheduledFor],
            ["OUTCOME", ({ outcome: what }) => what],
            ["JOB", ({ msgId }) => msgId],
            ["LAG", ({ lag }) => `${lag.toFixed(1)} s`],
            ["DRIVER", ({ driver }) => driver],
            ["REASON", ({ reason }) => reason],
          ],
          "no slot was decided",
        );
      },
    ),
  );

export const runsCommand = apiCommand("runs", "list pg_cron's runs of a cron, newest first")
  .argument("<cron>", "name or id")
  .addOption(limit())
  .action(
    overApi(async (session, ref: string, options: { limit: number }) => {
      const { id } = await findCron(session.client, session.app(), ref);
      const query = { limit: Math.min(options.limit, 500) };
      session.printTable(
        await rowsOf(session.client.crons.runs(session.app(), id, query)),
        [
          ["RUN", ({ runid }) => runid],
          ["STATUS", ({ status }) => status],
          ["START", ({ startTime }) => startTime],
          ["OUTCOME", ({ outcome }) => outcome],
          ["SLOT", ({ scheduledFor }) => scheduledFor],
          ["JOB", ({ msgId }) => msgId],
          ["MESSAGE", ({ returnMessage }) => returnMessage],
        ],
        "no runs",
      );
    }),
  );
