import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useGrants } from "../session/session.js";
import { cronNameQuery } from "./queries.js";

/** The name of a cron; the beginning of its id where it is gone, or not ours to see. */
export function useCronName(appId: string, cronId: string | null): string {
  const may = useGrants();
  const { data } = useQuery({
    ...cronNameQuery(appId, cronId ?? ""),
    enabled: cronId !== null && appId !== "" && may(`app:${appId}:cron.read`),
  });
  return data ?? (cronId ?? "").slice(0, 8);
}

/** The cron a job came from. */
export function CronLink({ appId, cronId }: { appId: string; cronId: string }) {
  const name = useCronName(appId, cronId);
  return (
    <Link to="/crons/$appId/$cronId" params={{ appId, cronId }} className="link" dir="auto">
      {name}
    </Link>
  );
}
