import { client } from "../session/session.js";
import { ENDED, LIVE, type JobFilter, type JobStatus, type ListedJob } from "./types.js";

/** What can be done to many at once. */
export type Deed = "cancel" | "retry";

/** Jobs of one app: by their ids, or all that a filter means. */
export interface Meant {
  appId: string;
  filter: JobFilter;
}

/** How many are meant, as the server counts them. */
export interface Counted {
  byStatus: { status: JobStatus; jobs: number }[];
  total: number;
  /** Of these, jobs that have been run again already, and are passed over. */
  skipped: number;
  /** There are more than it counts. */
  capped: boolean;
}

const IDS = 1000;

/** Jobs by their ids, app by app. */
export function byIds(jobs: readonly ListedJob[]): Meant[] {
  const apps = new Map<string, number[]>();
  for (const { appId, msgId } of jobs) apps.set(appId, [...(apps.get(appId) ?? []), msgId]);
  return [...apps].flatMap(([appId, ids]) =>
    Array.from({ length: Math.ceil(ids.length / IDS) }, (_, at) => ({
      appId,
      filter: { ids: ids.slice(at * IDS, (at + 1) * IDS) },
    })),
  );
}

/** The statuses of a filter that a deed is for; by a filter that names none, only failed jobs run again. */
export function statusesFor(deed: Deed, { status, ids }: JobFilter): JobStatus[] {
  const possible: readonly JobStatus[] = deed === "cancel" ? LIVE : ENDED;
  const given = status === undefined ? [] : [status].flat();
  if (given.length > 0) return possible.filter((one) => given.includes(one));
  return deed === "retry" && ids === undefined ? ["failed"] : [...possible];
}

/** Counts, and changes nothing. */
export async function countMeant(deed: Deed, meant: readonly Meant[]): Promise<Counted> {
  const found = new Map<JobStatus, number>();
  let skipped = 0;
  let capped = false;
  for (const { appId, filter } of meant) {
    for (const status of statusesFor(deed, filter)) {
      const body = { filter: { ...filter, status }, dryRun: true };
      const jobs = client().jobs;
      const answer =
        deed === "cancel"
          ? { ...(await jobs.cancelMany(appId, body)), skipped: 0 }
          : await jobs.retryMany(appId, body);
      found.set(status, (found.get(status) ?? 0) + answer.matched);
      skipped += answer.skipped;
      capped ||= answer.nextCursor !== null;
    }
  }
  const byStatus = [...found]
    .filter(([, jobs]) => jobs > 0)
    .map(([status, jobs]) => ({ status, jobs }));
  return { byStatus, skipped, capped, total: byStatus.reduce((sum, { jobs }) => sum + jobs, 0) };
}

/** Does it, a bounded part at a time; the number of jobs it was done to. */
export async function doToMeant(
  deed: Deed,
  meant: readonly Meant[],
  reason: string | undefined,
): Promise<number> {
  let done = 0;
  for (const { appId, filter } of meant) {
    const status = statusesFor(deed, filter);
    let cursor: string | null | undefined;
    while (status.length > 0 && cursor !== null) {
      const body = { filter: { ...filter, status }, ...(cursor === undefined ? {} : { cursor }) };
      if (deed === "cancel") {
        const why = reason === undefined ? {} : { reason };
        const answer = await client().jobs.cancelMany(appId, { ...body, ...why });
        done += answer.canceled;
        cursor = answer.nextCursor;
      } else {
        const answer = await client().jobs.retryMany(appId, body);
        done += answer.retried;
        cursor = answer.nextCursor;
      }
    }
  }
  return done;
}
