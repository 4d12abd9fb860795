import { CarillonApiError } from "carillon/client";
import { problemOf } from "../api/problem.js";
import { client } from "../session/session.js";
import { pauseCron, resumeCron } from "./actions.js";
import type { CronSummary } from "./types.js";

/** What can be done to many at once. */
export type Deed = "pause" | "resume" | "delete";

type Cron = CronSummary["cron"];

/** Those that a deed would be done to, and how many it is not for. */
export interface Meant {
  crons: Cron[];
  /** Paused already, or running already. */
  already: number;
  /** One may look at them, and no more. */
  others: number;
}

export const nobody = (): Meant => ({ crons: [], already: 0, others: 0 });

/** Puts some more to those that are meant. */
export function sortOut(deed: Deed, meant: Meant, some: readonly CronSummary[]): Meant {
  const next = { ...meant, crons: [...meant.crons] };
  for (const { cron, can } of some) {
    if (!can.includes("write")) next.others += 1;
    else if (deed !== "delete" && cron.enabled !== (deed === "pause")) next.already += 1;
    else next.crons.push(cron);
  }
  return next;
}

/** How far it has come. */
export interface Progress {
  done: number;
  /** Each that was refused, with why. */
  failed: readonly string[];
}

const AT_ONCE = 4;
const LONGEST_WAIT_MS = 60_000;

/**
 * Does it to each, a few at a time, as fast as the server takes it.
 *
 * @param signal ends it; what was begun is waited for
 */
export async function doToEach(
  deed: Deed,
  crons: readonly Cron[],
  note: string,
  signal: AbortSignal,
  onStep: (progress: Progress) => void,
): Promise<Progress> {
  const waiting = [...crons];
  let progress: Progress = { done: 0, failed: [] };
  const work = async () => {
    for (let cron = waiting.shift(); cron !== undefined; cron = waiting.shift()) {
      if (signal.aborted) return;
      const refused = await attempt(deed, cron, note, signal);
      const { done, failed } = progress;
      progress =
        refused === undefined
          ? { done: done + 1, failed }
          : { done, failed: [...failed, `${cron.name}: ${refused}`] };
      onStep(progress);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return progress;
}

/** Why it was refused; undefined where it was done. */
async function attempt(
  deed: Deed,
  cron: Cron,
  note: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (;;) {
    try {
      await act(deed, cron, note);
      return undefined;
    } catch (error) {
      // Asked for too much at once: it says for how long to wait.
      const wait = error instanceof CarillonApiError && error.status === 429;
      if (!wait || signal.aborted) return problemOf(error).detail;
      const ms = Math.min(error.retryAfterMs ?? 1000, LONGEST_WAIT_MS);
      await new Promise((resolve) => setTimeout(resolve, ms));
    }
  }
}

async function act(deed: Deed, cron: Cron, note: string): Promise<void> {
  if (deed === "pause") await pauseCron(cron, note);
  else if (deed === "resume") await resumeCron(cron);
  else await client().crons.delete(cron.appId, cron.id, { ifMatch: cron.version });
}
