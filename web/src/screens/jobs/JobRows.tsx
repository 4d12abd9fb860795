import { memo, useCallback, type Dispatch, type SetStateAction } from "react";
import { CronLink } from "../../jobs/CronLink.js";
import { JobLink } from "../../jobs/JobLink.js";
import { between, ranFor, Tries } from "../../jobs/JobTable.js";
import { TRIGGER_WORDS, type ListedJob } from "../../jobs/types.js";
import { whatOf } from "../../jobs/what.js";
import { OutcomeBadge } from "../../outcomes/OutcomeMark.js";
import { ErrorLine } from "../../parts/ErrorLine.js";
import { Chip } from "../../parts/Page.js";
import { Pick, PickAll, Table, Th } from "../../parts/Table.js";
import { serverNow, useNow } from "../../time/clock.js";
import { Ago, Duration, Time } from "../../time/Time.js";
import styles from "./jobs.module.css";

type Selected = ReadonlyMap<number, ListedJob>;

interface JobRowsProps {
  jobs: readonly ListedJob[];
  selected: Selected;
  onSelect: Dispatch<SetStateAction<Selected>>;
}

export function JobRows({ jobs, selected, onSelect }: JobRowsProps) {
  const all = jobs.length > 0 && jobs.every(({ msgId }) => selected.has(msgId));
  const select = useCallback(
    (job: ListedJob, on: boolean) =>
      onSelect((now) => {
        const next = new Map(now);
        if (on) next.set(job.msgId, job);
        else next.delete(job.msgId);
        return next;
      }),
    [onSelect],
  );
  return (
    <div className={styles.table}>
      <Table
        caption="Jobs"
        least="66rem"
        cards
        head={
          <>
            <PickAll
              label="Select all shown"
              checked={all}
              onChange={(on) => onSelect(new Map(on ? jobs.map((job) => [job.msgId, job]) : []))}
            />
            <Th width="8rem">Status</Th>
            <Th right width="6rem">
              Job
            </Th>
            <Th>What</Th>
            <Th>Enqueued</Th>
            <Th right>Waited</Th>
            <Th right>Ran</Th>
            <Th right>Attempt</Th>
            <Th>Worker</Th>
            <Th>Note</Th>
          </>
        }
      >
        {jobs.map((job) => (
          <JobRow key={job.msgId} job={job} selected={selected.has(job.msgId)} onSelect={select} />
        ))}
      </Table>
    </div>
  );
}

interface JobRowProps {
  job: ListedJob;
  selected: boolean;
  onSelect: (job: ListedJob, on: boolean) => void;
}

const JobRow = memo(function JobRow({ job, selected, onSelect }: JobRowProps) {
  return (
    <tr data-selected={selected || undefined}>
      <Pick
        label={`Select job ${job.msgId}`}
        checked={selected}
        onChange={(on) => onSelect(job, on)}
      />
      <td className={styles.status}>
        <OutcomeBadge outcome={job.status} />
      </td>
      <td data-right className={styles.id}>
        <JobLink appId={job.appId} id={job.msgId} />
      </td>
      <td className={styles.what}>
        <What job={job} />
      </td>
      <td className={styles.when}>
        <Time at={job.enqueuedAt} seconds />
      </td>
      <td data-right className={styles.number}>
        <Duration seconds={between(job.enqueuedAt, job.attempts[0]?.startedAt)} />
      </td>
      <td data-right className={styles.number}>
        {job.status === "running" ? <Running job={job} /> : <Duration seconds={ranFor(job)} />}
      </td>
      <td data-right className={styles.number}>
        <Tries job={job} />
      </td>
      <td className={styles.worker}>
        {job.worker === null ? (
          <span className="muted">—</span>
        ) : (
          <span className="mono clip" title={job.worker}>
            {job.worker}
          </span>
        )}
      </td>
      <td className={styles.note}>
        <Note job={job} />
      </td>
    </tr>
  );
}, sameJob);

/** Lists are read anew every few seconds: a row is drawn anew when something of it has changed. */
function sameJob(a: JobRowProps, b: JobRowProps): boolean {
  return a.selected === b.selected && a.onSelect === b.onSelect && sameValue(a.job, b.job);
}

const sameValue = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

function What({ job }: { job: ListedJob }) {
  return (
    <>
      <p className={styles.first} dir="auto">
        {job.cronId === null ? (
          (whatOf(job) ?? <span className="muted">no cron</span>)
        ) : (
          <CronLink appId={job.appId} cronId={job.cronId} />
        )}
      </p>
      <p className={styles.second}>
        {job.appId}
        {job.trigger !== "automatic" && <Chip>{TRIGGER_WORDS[job.trigger]}</Chip>}
        {job.tags.slice(0, 3).map((tag) => (
          <Chip key={tag}>{tag}</Chip>
        ))}
      </p>
    </>
  );
}

/** How long it has been running: counts with the page's clock. */
function Running({ job }: { job: ListedJob }) {
  const now = useNow(1000);
  const seconds = job.startedAt === null ? null : (now - Date.parse(job.startedAt)) / 1000;
  return <Duration seconds={seconds === null ? null : Math.max(0, Math.floor(seconds))} />;
}

function Note({ job }: { job: ListedJob }) {
  const { status, progress, cancelReason } = job;
  if (status === "running" && progress !== null) {
    return (
      <span className={styles.progress}>
        <progress max={100} value={progress.percent} aria-label="Progress" />
        <span className="num nowrap">{Math.floor(progress.percent)} %</span>
        {progress.note && (
          <span className="clip" dir="auto">
            {progress.note}
          </span>
        )}
      </span>
    );
  }
  if (status === "canceled" && cancelReason) {
    return (
      <q className="muted clip" dir="auto" title={cancelReason}>
        {cancelReason}
      </q>
    );
  }
  if (status === "pending" && job.dueAt !== null && Date.parse(job.dueAt) > serverNow()) {
    return (
      <>
        <span className="muted">
          due <Ago at={job.dueAt} />
        </span>
        <ErrorLine error={job.attempts.at(-1)?.error} />
      </>
    );
  }
  // Of one that waits for its next try, what the last one met.
  return <ErrorLine error={job.error ?? job.attempts.at(-1)?.error} />;
}
