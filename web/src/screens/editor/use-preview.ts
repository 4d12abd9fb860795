import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { previewQuery, type When } from "./queries.js";

const PAUSE_MS = 150;

/**
 * What the server makes of a schedule while it is typed: asked after a short pause, the older
 * question aborted; an answer belongs to the text it answers, whenever it comes.
 */
export function usePreview(when: When) {
  const text = JSON.stringify(when);
  const [asked, setAsked] = useState(when);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(JSON.parse(text) as When), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const query = useQuery({ ...previewQuery(asked), placeholderData: keepPreviousData });
  const behind = JSON.stringify(asked) !== text;
  return {
    data: asked.schedule.trim() === "" ? undefined : query.data,
    // What is said of a text that is no longer there helps nobody.
    error: behind ? null : query.error,
    /** What is shown answers an older text. */
    stale: behind || query.isPlaceholderData,
    loading: query.isFetching || behind,
    retry: () => void query.refetch(),
  };
}

export type PreviewState = ReturnType<typeof usePreview>;
