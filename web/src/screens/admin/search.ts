import { defineSearch, instant, oneOf, text } from "../../url/search.js";

export const keysSearch = defineSearch<{ whose: "mine" | "all" }>({
  whose: oneOf(["mine", "all"]),
});

/** The installation's record, or, with an app in the URL, that app's. */
export const auditSearch = defineSearch<{
  actor: string;
  action: string;
  from: string | undefined;
  to: string | undefined;
}>({ actor: text(128), action: text(64), from: instant(), to: instant() });
