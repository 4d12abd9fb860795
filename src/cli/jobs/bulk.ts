import { CarillonError } from "../../errors.js";
import { confirm } from "../confirm.js";
import { findCron } from "../find-cron.js";
import { Progress } from "../output/progress.js";
import { list } from "../parse.js";
import { apiCommand, overApi, type Session } from "../session.js";

interface Meant {
  status?: string[];
  cron?: string;
  tag?: string;
  before?: string;
  every?: true;
  dryRun?: true;
  yes?: true;
}

const meaning = (name: string, description: string) =>
  apiCommand(name, description)
    .option("--status <list>", "of these statuses, joined by commas", list)
    .option("--cron <cron>", "of this cron, by name or id")
    .option("--tag <tag>", "with this tag")
    .option("--before <time>", "enqueued before this time")
    .option("--every", "every one that can be, where nothing else is said")
    .option("--dry-run", "only count them")
    .option("-y, --yes", "do not ask");

/** The filter that is meant; none at all has to be said. */
async function filterOf(session: Session, { status, cron, tag, before, every }: Meant) {
  const filter = {
    ...(status === undefined ? {} : { status: status as never }),
    ...(cron === undefined
      ? {}
      : { cronId: (await findCron(session.client, session.app(), cron)).id }),
    ...(tag === undefined ? {} : { tag }),
    ...(before === undefined ? {} : { enqueuedBefore: before }),
  };
  if (Object.keys(filter).length === 0 && every !== true) {
    throw new CarillonError(
      "invalid_input",
      "say which jobs: --status, --cron, --tag, --before or --every",
    );
  }
  return filter;
}

interface Answer {
  matched: number;
  nextCursor: string | null;
}

/** Call after call, each bounded, until nothing is left; what all of them did. */
async function throughout<A extends Answer>(
  doing: string,
  call: (cursor: string | undefined) => Promise<A>,
): Promise<A[]> {
  const progress = new Progress();
  const answers: A[] = [];
  let cursor: string | undefined;
  let matched = 0;
  do {
    const answer = await call(cursor);
    answers.push(answer);
    matched += answer.matched;
    if (answer.nextCursor !== null) progress.show(`${doing}: ${matched} so far`);
    cursor = answer.nextCursor ?? undefined;
  } while (cursor !== undefined);
  if (answers.length > 1) progress.done();
  return answers;
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);

export const cancelManyCommand = meaning("cancel-many", "cancel all live jobs that are meant")
  .option("--reason <text>", "kept with them")
  .addHelpText(
    "after",
    "\nExample:\n  carillon jobs cancel-many --app crm --cron nightly --dry-run",
  )
  .action(
    overApi(async (session, options: Meant & { reason?: string }) => {
      const filter = await filterOf(session, options);
      const dryRun = options.dryRun === true;
      if (!dryRun && !(await confirm("Cancel all jobs that are meant?", options))) return;
      const app = session.app();
      const { reason } = options;
      const answers = await throughout("canceling", (cursor) =>
        session.client.jobs.cancelMany(app, {
          ...{ filter, dryRun },
          ...(cursor === undefined ? {} : { cursor }),
          ...(reason === undefined ? {} : { reason }),
        }),
      );
      const matched = sum(answers.map((answer) => answer.matched));
      const canceled = sum(answers.map((answer) => answer.canceled));
      session.print({ dryRun, matched, canceled }, () =>
        dryRun ? `${matched} jobs would be canceled` : `${canceled} of ${matched} jobs canceled`,
      );
    }),
  );

export const retryManyCommand = meaning("retry-many", "run all ended jobs that are meant again")
  .addHelpText(
    "after",
    "\nExample:\n  carillon jobs retry-many --app crm --status failed --before 2026-05-08T00:00:00Z",
  )
  .action(
    overApi(async (session, options: Meant) => {
      const filter = await filterOf(session, options);
      const dryRun = options.dryRun === true;
      if (!dryRun && !(await confirm("Run all jobs that are meant again?", options))) return;
      const app = session.app();
      const answers = await throughout("retrying", (cursor) =>
        session.client.jobs.retryMany(app, {
          ...{ filter, dryRun },
          ...(cursor === undefined ? {} : { cursor }),
        }),
      );
      const matched = sum(answers.map((answer) => answer.matched));
      const retried = sum(answers.map((answer) => answer.retried));
      const skipped = sum(answers.map((answer) => answer.skipped));
      session.print({ dryRun, matched, retried, skipped }, () =>
        dryRun
          ? `${matched - skipped} jobs would run again`
          : `${retried} of ${matched} jobs run again`,
      );
    }),
  );
