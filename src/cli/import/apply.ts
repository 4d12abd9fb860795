import { Progress } from "../output/progress.js";
import type { Session } from "../session.js";
import type { Imported } from "./types.js";

/** Creates the crons in the app; those whose names are there already stay as they are. */
export async function apply(session: Session, { crons, differences }: Imported): Promise<void> {
  const { client } = session;
  const app = session.app();
  const there = new Set((await client.crons.list(app)).map(({ name }) => name));
  const progress = new Progress();
  const created: string[] = [];
  for (const [at, cron] of crons.entries()) {
    if (!session.json) progress.show(`importing ${at + 1} of ${crons.length}`);
    if (there.has(cron.name)) continue;
    await client.crons.create(app, cron);
    created.push(cron.name);
  }
  if (!session.json) progress.done(`imported ${created.length} of ${crons.length}`);
  const kept = crons.map(({ name }) => name).filter((name) => there.has(name));
  session.print({ appId: app, created, kept, differences }, () =>
    [
      `app ${app}: ${created.length} created`,
      ...(kept.length > 0 ? [`  there already, and left as they are: ${kept.join(", ")}`] : []),
    ].join("\n"),
  );
}
