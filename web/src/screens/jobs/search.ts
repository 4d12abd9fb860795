import {
  JOB_ORDERS,
  WITHIN,
  type JobChoice,
  type JobOrder,
  type Within,
} from "../../jobs/choice.js";
import { STATUSES, TRIGGERS } from "../../jobs/types.js";
import { defineSearch, instant, oneOf, someOf, text, type Param } from "../../url/search.js";

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/** The id of a cron; none by default. */
const cronId: Param<string> = {
  parse: (given = "") => (UUID.test(given) ? given : ""),
  build: (value) => (UUID.test(value) ? value : undefined),
};

const WITHINS = Object.keys(WITHIN) as [Within, ...Within[]];

export const jobsSearch = defineSearch<JobChoice & { order: JobOrder }>({
  status: someOf(STATUSES),
  trigger: someOf(TRIGGERS),
  cron: cronId,
  tag: text(100),
  within: oneOf(WITHINS),
  after: instant(),
  before: instant(),
  order: oneOf(JOB_ORDERS),
});

/** No filter at all. */
export const ALL_JOBS = {
  ...{ status: [], trigger: [], cron: "", tag: "", within: "any" },
  ...{ after: undefined, before: undefined },
} as const satisfies JobChoice;
