import { CarillonApiError } from "carillon/client";
import { useEffect, useState } from "react";
import { sentence } from "../../api/problem.js";
import { markOf } from "./mark.js";
import type { PreviewState } from "./use-preview.js";

interface ScheduleErrors {
  schedule?: string;
  timezone?: string;
  mark: readonly [number, number] | undefined;
}

/** Long enough to see that somebody has stopped typing. */
const STILL_MS = 700;

/** What the server has against the schedule or its zone, said when the typing stops. */
export function useScheduleErrors({ error }: PreviewState, schedule: string): ScheduleErrors {
  const [still, setStill] = useState(true);
  useEffect(() => {
    setStill(false);
    const timer = setTimeout(() => setStill(true), STILL_MS);
    return () => clearTimeout(timer);
  }, [schedule]);
  if (!still || !(error instanceof CarillonApiError) || error.status !== 400) {
    return { mark: undefined };
  }
  const named = error.fields[0]?.field;
  const words = [sentence(error.message), error.hint && sentence(error.hint)];
  const text = words.filter(Boolean).join(" ");
  return named === "timezone"
    ? { timezone: text, mark: undefined }
    : { schedule: text, mark: markOf(schedule, error.message) };
}
