import { serverNow } from "../time/clock.js";
import type { JobFilter, JobStatus, ListedJob } from "./types.js";

/* Which jobs a list shows: as its URL has it, and as the API takes it. */

export const JOB_ORDERS = ["newest", "oldest", "due"] as const;
export type JobOrder = (typeof JOB_ORDERS)[number];

/** How far back a list goes, by what its URL says. */
export const WITHIN = {
  any: null,
  "1h": 3600,
  "24h": 86_400,
  "7d": 604_800,
  "30d": 2_592_000,
} as const;
export type Within = keyof typeof WITHIN;

/** Which jobs a list shows, as its URL has it. */
export interface JobChoice {
  status: readonly JobStatus[];
  trigger: readonly ListedJob["trigger"][];
  cron: string;
  tag: string;
  within: Within;
  after: string | undefined;
  before: string | undefined;
}

/** The same as the API takes it. */
export function filterOf(choice: JobChoice): JobFilter {
  const { status, trigger, cron, tag, within, after, before } = choice;
  const since = sinceOf(within);
  const from = after ?? since;
  return {
    ...(status.length === 0 ? {} : { status: [...status] }),
    ...(trigger.length === 0 ? {} : { trigger: [...trigger] }),
    ...(cron === "" ? {} : { cronId: cron }),
    ...(tag === "" ? {} : { tag }),
    ...(from === undefined ? {} : { enqueuedAfter: from }),
    ...(before === undefined ? {} : { enqueuedBefore: before }),
  };
}

function sinceOf(within: Within): string | undefined {
  const seconds = WITHIN[within];
  return seconds === null ? undefined : new Date(serverNow() - seconds * 1000).toISOString();
}

/** Whether anything narrows the list. */
export const isNarrow = ({ status, trigger, cron, tag, within, after, before }: JobChoice) =>
  status.length + trigger.length > 0 ||
  cron + tag !== "" ||
  within !== "any" ||
  after !== undefined ||
  before !== undefined;
