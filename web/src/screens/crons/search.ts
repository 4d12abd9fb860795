import {
  CRON_ORDERS,
  CRON_STATES,
  CRON_TARGETS,
  type CronOrder,
  type CronState,
  type CronTarget,
} from "../../crons/types.js";
import { defineSearch, oneOf, someOf, text } from "../../url/search.js";

export const cronsSearch = defineSearch<{
  q: string;
  state: readonly CronState[];
  target: readonly CronTarget[];
  order: CronOrder;
}>({
  q: text(),
  state: someOf(CRON_STATES),
  target: someOf(CRON_TARGETS),
  order: oneOf(CRON_ORDERS),
});
