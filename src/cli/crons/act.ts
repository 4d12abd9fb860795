import { findCron } from "../find-cron.js";
import { jsonObject, whole } from "../parse.js";
import { apiCommand, overApi } from "../session.js";
import { waitForBackfill, waitForJob } from "../wait.js";

export const triggerCommand = apiCommand("trigger", "enqueue one job of a cron at once")
  .argument("<cron>", "name or id")
  .option("--payload <json>", "in place of the cron's own, this once; @file or -", jsonObject)
  .option("--respect-overlap", "fail where the overlap policy lets no job through")
  .option("--wait", "until the job has ended; exit code 1 unless it completed")
  .addHelpText("after", "\nExample:\n  carillon crons trigger nightly --app crm --wait")
  .action(
    overApi(
      async (
        session,
        ref: string,
        options: { payload?: Record<string, unknown>; respectOverlap?: true; wait?: true },
      ) => {
        const { client } = session;
        const app = session.app();
        const { payload, respectOverlap, wait } = options;
        const cron = await findCron(client, app, ref);
        const answer = await client.crons.trigger(app, cron.id, {
          ...(payload === undefined ? {} : { payload }),
          ...(respectOverlap === undefined ? {} : { respectOverlap }),
        });
        if (!wait) session.print(answer, () => `enqueued job ${answer.msgId} of ${cron.name}`);
        else session.printFields(await waitForJob(client, app, answer.msgId));
      },
    ),
  );

interface BackfillOptions {
  from: string;
  to: string;
  concurrency: number;
  dryRun?: true;
  wait?: true;
}

export const backfillCommand = apiCommand(
  "backfill",
  "enqueue the slots of a past range that have no tick yet",
)
  .argument("<cron>", "name or id")
  .requiredOption("--from <time>", "slots at or after this time, such as 2026-05-01T00:00:00Z")
  .requiredOption("--to <time>", "slots at or before this time")
  .option(
    "--concurrency <n>",
    "its jobs that may be queued or running at a time",
    whole(1, 1000),
    1,
  )
  .option("--dry-run", "only list the slots")
  .option("--wait", "until all slots are enqueued, with progress")
  .addHelpText(
    "after",
    "\nExample:\n  carillon crons backfill nightly --app crm --from 2026-05-01T00:00:00Z --to 2026-05-08T00:00:00Z --dry-run",
  )
  .action(
    overApi(async (session, ref: string, { wait, dryRun, ...range }: BackfillOptions) => {
      const { client } = session;
      const app = session.app();
      const { id: cronId } = await findCron(client, app, ref);
      const answer = await client.crons.backfill(app, cronId, {
        ...range,
        dryRun: dryRun === true,
      });
      const { id, count, slots } = answer;
      if (wait && id !== null) {
        session.printFields(await waitForBackfill(client, app, cronId, id));
        return;
      }
      const what = `${count} slot${count === 1 ? "" : "s"}`;
      session.print(answer, () =>
        dryRun
          ? [`would enqueue ${what}`, ...slots.map((slot) => `  ${slot}`)].join("\n")
          : `backfill ${id ?? "has nothing to do"}: ${what}`,
      );
    }),
  );
