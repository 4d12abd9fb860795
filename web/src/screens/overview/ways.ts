import type { LinkProps } from "@tanstack/react-router";
import type { CronState } from "../../crons/types.js";
import type { AttentionItem } from "../../needs/needs.js";
import { cronSearch } from "../cron/search.js";
import { cronsSearch } from "../crons/search.js";
import { ALL_JOBS, jobsSearch } from "../jobs/search.js";

/** Where something that needs attention is looked into, and what one does there. */
export interface Way {
  verb: string;
  link: Pick<LinkProps, "to" | "params" | "search">;
}

const STATES: Partial<Record<AttentionItem["kind"], CronState>> = {
  ...{ failing: "failing", self_paused: "self_paused", denied: "denied", late: "late" },
  ...{ forgotten: "paused" },
};

/** The way that leads on from a cause, to exactly what it is about. */
export function wayTo(item: AttentionItem): Way {
  switch (item.kind) {
    case "clone":
    case "pg_cron_stuck":
      return { verb: "Doctor", link: { to: "/doctor" } };
    case "dead_letters":
      return { verb: "Review", link: { to: "/dead-letters", search: within(item, {}) } };
    case "no_worker":
      return { verb: "Show jobs", link: toJobs(item, { status: ["queued", "pending"] }) };
    case "failing":
      return { verb: "Show failures", link: toJobs(item, { status: ["failed"] }) };
    case "missed":
    case "skipping":
    case "undecided":
      return ofCrons(item, "Show slots");
    case "self_paused":
    case "denied":
    case "late":
    case "forgotten":
      return ofCrons(item, item.cronId === null ? "Show crons" : "Open");
  }
}

const OUTCOMES = { missed: "missed", skipping: "skipped", undecided: "failed" } as const;

/** Its one cron, by the outcome in question; or all crons in that state. */
function ofCrons(item: AttentionItem, verb: string): Way {
  const [cron] = item.crons;
  if (item.cronId !== null && cron !== undefined) {
    const params = { appId: cron.appId, cronId: cron.id };
    const outcome = item.kind in OUTCOMES ? [OUTCOMES[item.kind as keyof typeof OUTCOMES]] : [];
    const search = cronSearch.build({ ...cronSearch.parse({}), outcome });
    return { verb, link: { to: "/crons/$appId/$cronId", params, search: search as never } };
  }
  const state = STATES[item.kind];
  const search = cronsSearch.build({ ...cronsSearch.parse({}), state: state ? [state] : [] });
  return { verb: "Show crons", link: { to: "/crons", search: within(item, search) } };
}

type Jobs = Partial<ReturnType<typeof jobsSearch.parse>>;

function toJobs(item: AttentionItem, jobs: Jobs): Way["link"] {
  const choice = { ...ALL_JOBS, order: "newest" as const, cron: item.cronId ?? "", ...jobs };
  return { to: "/jobs", search: within(item, jobsSearch.build(choice)) };
}

/** Of the app it is about, where it is about one: else of those that are shown. */
const within = ({ appId }: AttentionItem, search: object): never =>
  ({ ...search, ...(appId === null ? {} : { app: appId }) }) as never;
