import { defineSearch, text } from "../../url/search.js";

/** The cron a new one is made after. */
export const newCronSearch = defineSearch<{ from: string }>({ from: text(36) });
