import { defineSearch, oneOf } from "../../url/search.js";

export const WINDOWS = ["1h", "24h", "7d"] as const;
export type Window = (typeof WINDOWS)[number];

export const upcomingSearch = defineSearch<{ window: Window }>({ window: oneOf(WINDOWS) });
