import { CRON_ORDERS, CRON_STATES, type CronOrder, type CronState } from "../../crons/types.js";
import { defineSearch, oneOf, someOf, text } from "../../url/search.js";

export const cronsSearch = defineSearch<{
  q: string;
  state: readonly CronState[];
  order: CronOrder;
}>({
  q: text(),
  state: someOf(CRON_STATES),
  order: oneOf(CRON_ORDERS),
});
