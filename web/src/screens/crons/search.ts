import { CRON_ORDERS } from "../../crons/queries.js";
import { CRON_STATES, type CronState } from "../../crons/types.js";
import { defineSearch, oneOf, someOf, text } from "../../url/search.js";

export const cronsSearch = defineSearch<{
  q: string;
  state: readonly CronState[];
  order: (typeof CRON_ORDERS)[number];
}>({
  q: text(),
  state: someOf(CRON_STATES),
  order: oneOf(CRON_ORDERS),
});
