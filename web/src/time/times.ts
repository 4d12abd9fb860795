import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { keptChoice, useStore } from "../store.js";
import type { TimeStyle } from "./format.js";

/** Whose clock the page shows: each cron's own, UTC, or the visitor's. */
export const TIMES = ["cron", "utc", "mine"] as const;
export type Times = (typeof TIMES)[number];

/** The visitor's own zone. */
export const MY_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

const myHour12 = Intl.DateTimeFormat(undefined, { hour: "numeric" }).resolvedOptions().hour12;

export const keptTimes = keptChoice("times", TIMES, "cron");
export const keptHours = keptChoice("hours", ["24", "12"], myHour12 ? "12" : "24");

/** The choice of this page: the URL's, so that a link shows the same elsewhere. */
export function useTimes(): Times {
  const { tz } = useSearch({ strict: false });
  return TIMES.find((times) => times === tz) ?? "cron";
}

export function useSetTimes(): (times: Times) => void {
  const navigate = useNavigate();
  return useCallback(
    (times) => {
      keptTimes.set(times);
      void navigate({
        to: ".",
        search: (previous) => ({ ...previous, tz: times === "cron" ? undefined : times }) as never,
        replace: true,
      });
    },
    [navigate],
  );
}

/** How to show the instants of something: in its own zone, where the page shows that. */
export function useTimeStyle(ownZone?: string): TimeStyle {
  const times = useTimes();
  const hour12 = useStore(keptHours) === "12";
  return { zone: zoneFor(times, ownZone), hour12 };
}

/** What has no zone of its own is shown in the visitor's. */
export function zoneFor(times: Times, ownZone: string | undefined): string {
  if (times === "utc") return "UTC";
  return times === "mine" ? MY_ZONE : (ownZone ?? MY_ZONE);
}
