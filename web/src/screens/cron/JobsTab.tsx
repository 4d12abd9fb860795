import { useInfiniteQuery } from "@tanstack/react-query";
import type { Cron } from "carillon/client";
import { JobTable } from "../../jobs/JobTable.js";
import { useLiveOptions } from "../../live/live.js";
import { Card } from "../../parts/Page.js";
import { EmptyState, ErrorState, Loading } from "../../parts/States.js";
import { More } from "../../parts/Table.js";
import { cronJobsQuery } from "./queries.js";

/** The jobs of a cron, those run by hand among them. */
export function JobsTab({ cron }: { cron: Cron }) {
  const query = useInfiniteQuery({ ...cronJobsQuery(cron), ...useLiveOptions(3000) });
  const jobs = query.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <Card flush>
      {query.data === undefined ? (
        query.error === null ? (
          <Loading />
        ) : (
          <ErrorState error={query.error} onRetry={() => void query.refetch()} />
        )
      ) : jobs.length === 0 ? (
        <EmptyState title="No jobs yet">Its next slot makes one, or Run now does.</EmptyState>
      ) : (
        <JobTable jobs={jobs} zone={cron.timezone} caption={`Jobs of ${cron.name}, newest first`} />
      )}
      <More query={query} what="jobs" />
    </Card>
  );
}
