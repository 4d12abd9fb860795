import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ListPlus } from "lucide-react";
import { useState } from "react";
import { useAppsWhere, useJobApps, type JobApps } from "../../jobs/apps.js";
import { EnqueueDialog } from "../../jobs/EnqueueDialog.js";
import { NoApps } from "../../jobs/NoApps.js";
import { isNarrow, type JobChoice } from "../../jobs/choice.js";
import { jobsQuery, statusCountsQuery } from "../../jobs/queries.js";
import type { ListedJob } from "../../jobs/types.js";
import { useHold, useLiveOptions, usePolling } from "../../live/live.js";
import { Button } from "../../parts/Button.js";
import { Card, Page } from "../../parts/Page.js";
import { ErrorState, Loadable, Loading } from "../../parts/States.js";
import { More } from "../../parts/Table.js";
import { counted } from "../../time/format.js";
import { useSearchState } from "../../url/use-search-state.js";
import { BulkBar } from "./BulkBar.js";
import { Filters } from "./Filters.js";
import { JobRows } from "./JobRows.js";
import styles from "./jobs.module.css";
import { MatchMenu } from "./MatchMenu.js";
import { NoJobs } from "./NoJobs.js";
import { ALL_JOBS, jobsSearch } from "./search.js";
import { useNewRows } from "./use-new-rows.js";

/** Every job one may see, live and ended, newest first. */
export function Jobs() {
  const apps = useJobApps();
  const [filter, change] = useSearchState(jobsSearch);
  const navigate = useNavigate();
  const counts = useStatusCounts(apps.data?.readable, filter);
  return (
    <Page
      title="Jobs"
      lead={<p>What was enqueued, what runs, and how it ended.</p>}
      actions={<Enqueue />}
    >
      <Filters
        filter={filter}
        onChange={change}
        counts={counts}
        onCron={(app, cron) => {
          void navigate({
            to: "/jobs",
            search: (now) => ({ ...now, ...jobsSearch.build({ ...filter, cron }), app }),
          });
        }}
        appId={apps.data?.readable.length === 1 ? apps.data.readable[0] : undefined}
      />
      <Loadable query={apps} loading={<Loading rows={10} height="2.75rem" />}>
        {(found) =>
          found.readable.length === 0 ? <NoApps chosen={found.chosen} /> : <List apps={found} />
        }
      </Loadable>
    </Page>
  );
}

/** Slower than the list: each status of each app is a count of its own. */
function useStatusCounts(appIds: readonly string[] | undefined, choice: JobChoice) {
  const polling = usePolling(appIds?.length === 1 ? 10_000 : 30_000);
  const { status, trigger, cron, tag, within, after, before } = choice;
  const { data } = useQuery({
    ...statusCountsQuery(appIds ?? [], { status, trigger, cron, tag, within, after, before }),
    ...polling,
    enabled: appIds !== undefined && appIds.length > 0,
  });
  return data;
}

function Enqueue() {
  const appIds = useAppsWhere("invoke");
  const [open, setOpen] = useState(false);
  const navigate = useNavigate();
  if (appIds.length === 0) return null;
  return (
    <>
      <Button look="primary" onClick={() => setOpen(true)}>
        <ListPlus size={15} aria-hidden="true" /> Enqueue a job
      </Button>
      <EnqueueDialog
        open={open}
        onClose={() => setOpen(false)}
        appIds={appIds}
        onEnqueued={(appId, id) =>
          void navigate({ to: "/apps/$appId/jobs/$jobId", params: { appId, jobId: String(id) } })
        }
      />
    </>
  );
}

function List({ apps }: { apps: JobApps }) {
  const [{ order: wanted, ...choice }, change] = useSearchState(jobsSearch);
  const waits = choice.status.length > 0 && choice.status.every((one) => WAITING.has(one));
  const order = wanted === "due" && !waits ? "newest" : wanted;
  const [selected, setSelected] = useState<ReadonlyMap<number, ListedJob>>(new Map());
  useHold(selected.size === 0 ? undefined : `${counted(selected.size, "row")} selected`);
  const query = useInfiniteQuery({
    ...jobsQuery(apps.readable, choice, order),
    ...useLiveOptions(apps.readable.length > 4 ? 6000 : 3000),
  });
  const { data, error } = query;
  const all = data?.pages.flatMap(({ items }) => items) ?? [];
  const key = JSON.stringify([apps.readable, choice, order]);
  const fresh = useNewRows(all, key, (job) => (order === "newest" ? job.msgId : 0));
  const clear = () => setSelected(new Map());
  return (
    <>
      {apps.tooMany && (
        <p className={styles.hint}>
          Of your apps, the first {apps.readable.length} are shown. Choose one above to see its jobs
          alone.
        </p>
      )}
      {fresh.waiting > 0 && (
        <button type="button" className={styles.fresh} onClick={fresh.show}>
          {counted(fresh.waiting, "new job")} · Show
        </button>
      )}
      <Card flush>
        {data === undefined ? (
          error === null ? (
            <Loading rows={10} height="2.75rem" />
          ) : (
            <ErrorState error={error} onRetry={() => void query.refetch()} />
          )
        ) : all.length === 0 && !query.hasNextPage ? (
          <NoJobs filtered={isNarrow(choice)} onClear={() => change(ALL_JOBS)} />
        ) : (
          <JobRows jobs={fresh.shown} selected={selected} onSelect={setSelected} />
        )}
        <More query={query} what="jobs" />
      </Card>
      {all.length > 0 && selected.size === 0 && <MatchMenu apps={apps} choice={choice} />}
      <BulkBar jobs={[...selected.values()]} onDone={clear} />
    </>
  );
}

const WAITING: ReadonlySet<string> = new Set(["pending", "queued"]);
