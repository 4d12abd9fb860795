import { defineSearch, text } from "../../url/search.js";

/** The cron a new one is made after, and the app of that, where it is another. */
export const newCronSearch = defineSearch<{ from: string; of: string }>({
  from: text(36),
  of: text(64),
});
