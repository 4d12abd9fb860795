import { queryOptions } from "@tanstack/react-query";
import type { Cron, Output } from "carillon/client";
import { client } from "../../session/session.js";
import { serverNow } from "../../time/clock.js";
import { WINDOWS, type Window } from "./windows.js";

export type Stats = Output<"GET /api/v1/apps/{appId}/crons/{id}/stats">;
export type Bucket = Stats["buckets"][number];
const REFRESH_MS = 30_000;

/** How the jobs of a cron ran in the window up to now, by buckets of the zone that is shown. */
export const statsQuery = ({ appId, id }: Cron, window: Window, timezone: string) =>
  queryOptions({
    queryKey: ["crons", "stats", appId, id, window, timezone],
    queryFn: ({ signal }) => {
      const { seconds, bucket } = WINDOWS[window];
      const to = serverNow();
      const from = new Date(to - seconds * 1000).toISOString();
      const query = { from, to: new Date(to).toISOString(), bucket, timezone };
      return client().stats.ofCron(appId, id, query, { signal });
    },
    staleTime: REFRESH_MS,
  });
