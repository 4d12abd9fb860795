import type { Output } from "carillon/client";
import { queryOptions } from "@tanstack/react-query";
import { client } from "../../session/session.js";
import { serverNow } from "../../time/clock.js";
import type { Window } from "./search.js";

export type Ahead = Output<"GET /api/v1/upcoming">;
export type Bucket = Ahead["buckets"][number];

const LENGTHS = {
  "1h": { ms: 3_600_000, bucket: "1m" },
  "24h": { ms: 86_400_000, bucket: "15m" },
  "7d": { ms: 604_800_000, bucket: "1h" },
} as const;

/** The slots of the next hour, day or week, by buckets of the visitor's clock. */
export const upcomingQuery = (app: string, window: Window, timezone: string) =>
  queryOptions({
    queryKey: ["upcoming", app, window, timezone],
    queryFn: ({ signal }) => {
      const { ms, bucket } = LENGTHS[window];
      const from = serverNow();
      return client().crons.upcoming(
        {
          ...{ bucket, timezone, to: new Date(from + ms).toISOString() },
          ...(app === "" ? {} : { app }),
        },
        { signal },
      );
    },
  });
