import { useSearch } from "@tanstack/react-router";
import { useEffect } from "react";
import { keptTimes, useSetTimes } from "../time/times.js";

/** Whose times were chosen before goes into a URL that does not say. */
export function useKeptTimes(): void {
  const { tz } = useSearch({ strict: false });
  const setTimes = useSetTimes();
  useEffect(() => {
    if (tz === undefined && keptTimes.get() !== "cron") setTimes(keptTimes.get());
    // Only when the page begins: later it is chosen here.
  }, []);
}
