import { queryOptions } from "@tanstack/react-query";
import type { Output } from "carillon/client";
import { client } from "../../session/session.js";

/** What decides when slots are. */
export interface When {
  schedule: string;
  timezone: string;
  startsAt: string;
  endsAt: string;
  gap: "shift" | "skip";
  fold: "first" | "both";
}

export type Preview = Output<"GET /api/v1/schedules/preview">;

export const SLOTS = 10;

/** What the server makes of a schedule; its key is the very text it answers. */
export const previewQuery = ({ schedule, timezone, startsAt, endsAt, gap, fold }: When) =>
  queryOptions({
    queryKey: ["schedules", "preview", { schedule, timezone, startsAt, endsAt, gap, fold }],
    queryFn: ({ signal }) =>
      client().schedules.preview(
        {
          ...{ schedule, timezone: timezone.trim() || "GMT", count: String(SLOTS), gap, fold },
          ...(startsAt.trim() === "" ? {} : { startsAt: startsAt.trim() }),
          ...(endsAt.trim() === "" ? {} : { endsAt: endsAt.trim() }),
        },
        { signal },
      ),
    enabled: schedule.trim() !== "",
    staleTime: 30_000,
    gcTime: 60_000,
  });

/** The service accounts a cron may run as, for who may see them. */
export const serviceAccountsQuery = () =>
  queryOptions({
    queryKey: ["principals", "services"],
    queryFn: async ({ signal }) =>
      (await client().principals.list({ kind: "service", limit: "500" }, { signal })).items,
    staleTime: 60_000,
  });
