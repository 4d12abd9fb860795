import { defineSearch, oneOf, text } from "./search.js";

/** What every page has in its URL: whose times, and which app alone. */
export const appSearch = defineSearch<{ tz: "cron" | "utc" | "mine"; app: string }>({
  tz: oneOf(["cron", "utc", "mine"]),
  app: text(64),
});
