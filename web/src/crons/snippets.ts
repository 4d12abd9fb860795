import type { Cron } from "carillon/client";
import { copyText } from "../parts/copy-text.js";
import { say } from "../parts/toasts.js";

/** A cron as its manifest would have it: what is set to other than its default. */
export function manifestEntry(cron: Cron): object {
  return {
    name: cron.name,
    schedule: cron.schedule,
    ...(cron.timezone === "GMT" ? {} : { timezone: cron.timezone }),
    ...(Object.keys(cron.payload).length === 0 ? {} : { payload: cron.payload }),
    ...(cron.overlapPolicy === "skip" ? {} : { overlapPolicy: cron.overlapPolicy }),
    ...(cron.catchUp === "latest" ? {} : { catchUp: cron.catchUp }),
    ...(cron.catchUpMax === 100 ? {} : { catchUpMax: cron.catchUpMax }),
    ...(cron.catchUpWindow === 3600 ? {} : { catchUpWindow: cron.catchUpWindow }),
    ...(cron.jitter === 0 ? {} : { jitter: cron.jitter }),
    ...(cron.maxAttempts === 1 ? {} : { maxAttempts: cron.maxAttempts }),
    ...(cron.timeout === null ? {} : { timeout: cron.timeout }),
    ...(cron.maxConsecutiveFailures === null
      ? {}
      : { maxConsecutiveFailures: cron.maxConsecutiveFailures }),
    ...(cron.startsAt === null ? {} : { startsAt: cron.startsAt }),
    ...(cron.endsAt === null ? {} : { endsAt: cron.endsAt }),
    ...(cron.tags.length === 0 ? {} : { tags: cron.tags }),
    ...(cron.priority === 0 ? {} : { priority: cron.priority }),
    ...(cron.dst.gap === "shift" && cron.dst.fold === "first" ? {} : { dst: cron.dst }),
  };
}

export async function copyAsManifest(cron: Cron): Promise<void> {
  const text = JSON.stringify(manifestEntry(cron), null, 2);
  if (await copyText(text)) say({ title: `Copied ${cron.name} as it stands in a manifest` });
  else say({ title: "Copy it by hand", detail: text, failed: true });
}
