import { OutcomeBadge } from "../outcomes/OutcomeMark.js";
import { ErrorLine } from "../parts/ErrorLine.js";
import { Table, Th } from "../parts/Table.js";
import { counted } from "../time/format.js";
import { Duration, Time } from "../time/Time.js";
import { JobLink } from "./JobLink.js";
import styles from "./jobs.module.css";
import { isLost, TRIGGER_WORDS, type ListedJob } from "./types.js";

interface JobTableProps {
  caption: string;
  jobs: readonly ListedJob[];
  zone: string;
}

/** Jobs of one cron, newest first. */
export function JobTable({ caption, jobs, zone }: JobTableProps) {
  return (
    <Table
      caption={caption}
      cards
      head={
        <>
          <Th right width="6rem">
            Job
          </Th>
          <Th>Status</Th>
          <Th>Slot</Th>
          <Th>Enqueued</Th>
          <Th>By</Th>
          <Th right>Waited</Th>
          <Th right>Ran</Th>
          <Th right>Attempt</Th>
          <Th>Worker</Th>
        </>
      }
    >
      {jobs.map((job) => (
        <tr key={job.msgId}>
          <td data-right className={styles.lead}>
            <JobLink appId={job.appId} id={job.msgId} />
          </td>
          <td data-label="Status">
            <OutcomeBadge outcome={job.status} />
            {job.status === "failed" && <ErrorLine error={job.error} />}
          </td>
          <td data-label="Slot">
            {job.scheduledFor ? <Time at={job.scheduledFor} zone={zone} /> : <Nothing />}
          </td>
          <td data-label="Enqueued">
            <Time at={job.enqueuedAt} zone={zone} seconds />
          </td>
          <td data-label="By">{TRIGGER_WORDS[job.trigger]}</td>
          <td data-label="Waited" data-right>
            <Duration seconds={between(job.enqueuedAt, job.attempts[0]?.startedAt)} />
          </td>
          <td data-label="Ran" data-right>
            <Duration seconds={ranFor(job)} />
          </td>
          <td data-label="Attempt" data-right>
            <Tries job={job} />
          </td>
          <td data-label="Worker" className="mono">
            {job.worker ?? <Nothing />}
          </td>
        </tr>
      ))}
    </Table>
  );
}

const Nothing = () => <span className="muted">—</span>;

/** How many of its tries a job has had; a lost lease is delivered again, and is none. */
export function Tries({ job: { attempts, maxAttempts } }: { job: ListedJob }) {
  const lost = attempts.filter(isLost).length;
  if (attempts.length === 0) return <Nothing />;
  return (
    <span
      className="nowrap"
      title={lost > 0 ? `${counted(lost, "lease")} lost besides` : undefined}
    >
      {attempts.length - lost} / {maxAttempts}
      {lost > 0 && <span className="muted"> +{lost}</span>}
    </span>
  );
}

/** Seconds between two instants; null where one is missing. */
export const between = (from: string | null | undefined, to: string | null | undefined) =>
  from && to ? (Date.parse(to) - Date.parse(from)) / 1000 : null;

/** Seconds the last attempt of a job ran. */
export function ranFor({ attempts }: ListedJob): number | null {
  const last = attempts.at(-1);
  return between(last?.startedAt, last?.finishedAt);
}
