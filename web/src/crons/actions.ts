import { CarillonApiError } from "carillon/client";
import { problemOf } from "../api/problem.js";
import { queryClient } from "../api/query-client.js";
import { say } from "../parts/toasts.js";
import { client } from "../session/session.js";

/** What actions need to know of a cron. */
export interface CronRef {
  id: string;
  appId: string;
  name: string;
}

/** After a change: whatever is shown of crons is asked for anew. */
export const cronsChanged = () => queryClient.invalidateQueries({ queryKey: ["crons"] });

export async function pauseCron({ appId, id }: CronRef, note: string): Promise<void> {
  const pauseNote = note.trim() || null;
  await client().crons.update(appId, id, { enabled: false, pauseNote });
}

export async function resumeCron({ appId, id }: CronRef): Promise<void> {
  await client().crons.update(appId, id, { enabled: true });
}

/** Resumes at once, and offers the way back: it is undone as easily. */
export async function resumeAndSay(cron: CronRef): Promise<void> {
  await orSay(`${cron.name} could not be resumed`, async () => {
    await resumeCron(cron);
    await cronsChanged();
    say({
      title: `Resumed ${cron.name}`,
      action: { label: "Undo", run: () => void pauseAndSay(cron, "") },
    });
  });
}

export async function pauseAndSay(cron: CronRef, note: string): Promise<void> {
  await orSay(`${cron.name} could not be paused`, async () => {
    await pauseCron(cron, note);
    await cronsChanged();
    say({
      title: `Paused ${cron.name}`,
      action: { label: "Undo", run: () => void resumeAndSay(cron) },
    });
  });
}

async function orSay(title: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof CarillonApiError && error.status === 401) return;
    say({ title, detail: problemOf(error).detail, failed: true });
  }
}
