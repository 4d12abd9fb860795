import { useEffect, useMemo, useSyncExternalStore } from "react";
import { jobsChanged } from "../../../jobs/actions.js";
import { isLive, type Job } from "../../../jobs/types.js";
import { useStore } from "../../../store.js";
import { LogFeed, type LogFilter } from "./feed.js";

/** A job's log as it grows, while the page is seen. */
export function useLog({ appId, msgId, status }: Job, { q, levels }: LogFilter) {
  const named = levels.join();
  const feed = useMemo(() => {
    const picked = levels.filter((level) => named.split(",").includes(level));
    return new LogFeed(appId, msgId, { q, levels: picked });
    // The list of levels is another one each time; what it holds counts.
  }, [appId, msgId, q, named]);
  const visible = useVisible();
  const live = isLive(status);
  useEffect(() => {
    if (!visible) return undefined;
    void feed.run(live, () => void jobsChanged());
    return () => feed.rest();
    // Once it is followed, its end comes by the stream.
  }, [feed, visible]);
  return { feed, ...useStore(feed.state) };
}

const subscribe = (listener: () => void) => {
  document.addEventListener("visibilitychange", listener);
  return () => document.removeEventListener("visibilitychange", listener);
};

const useVisible = () =>
  useSyncExternalStore(subscribe, () => document.visibilityState === "visible");
