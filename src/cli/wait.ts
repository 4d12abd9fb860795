import { setTimeout as sleep } from "node:timers/promises";
import type { CarillonClient } from "../client/index.js";
import { EXIT } from "./exit-codes.js";
import { Progress } from "./output/progress.js";
import { oneLine } from "./output/text.js";

/** Follows a job until it has ended; its exit code says whether it completed. */
export async function waitForJob(client: CarillonClient, app: string, id: number) {
  const progress = new Progress();
  for await (const { event, data } of client.jobs.followLog(app, id)) {
    if (event === "status") progress.show(`job ${id}: ${data.status}`);
    if (event === "progress") {
      progress.show(`job ${id}: ${data.percent} %${data.note ? `, ${oneLine(data.note)}` : ""}`);
    }
  }
  const job = await client.jobs.get(app, id);
  progress.done(`job ${id}: ${job.status}`);
  if (job.status !== "completed") process.exitCode = EXIT.failure;
  return job;
}

/** Milliseconds between two looks at a backfill. */
const LOOK_MS = 1000;

/** Waits until all slots of a backfill are enqueued. */
export async function waitForBackfill(
  client: CarillonClient,
  app: string,
  cronId: string,
  id: string,
) {
  const progress = new Progress();
  for (;;) {
    const backfill = (await client.crons.backfills(app, cronId)).find((one) => one.id === id);
    if (backfill === undefined) throw new Error(`backfill ${id} is not listed any more`);
    const how = `backfill: ${backfill.enqueued} of ${backfill.slots} slots enqueued`;
    if (backfill.finishedAt !== null) {
      progress.done(how);
      return backfill;
    }
    progress.show(how);
    await sleep(LOOK_MS);
  }
}
