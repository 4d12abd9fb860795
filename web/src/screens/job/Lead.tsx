import { firstLine } from "../../parts/ErrorLine.js";
import { useNow } from "../../time/clock.js";
import { counted, duration } from "../../time/format.js";
import { Ago, Countdown, Time } from "../../time/Time.js";
import type { Job } from "../../jobs/types.js";

/** The one sentence that matters about a job. */
export function Lead({ job }: { job: Job }) {
  const { status, startedAt, finishedAt, dueAt, enqueuedAt, attempts } = job;
  switch (status) {
    case "running":
      return <RunningLead job={job} />;
    case "pending":
    case "queued":
      return status === "pending" && dueAt !== null ? (
        <p>
          <strong>{attempts.length > 0 ? "Will be tried again" : "Not due yet"}</strong>
          {": "}
          <Time at={dueAt} seconds /> <Countdown at={dueAt} />.
        </p>
      ) : (
        <WaitingLead job={job} />
      );
    case "completed":
      return (
        <p>
          <strong>Completed</strong> {finishedAt && <Ago at={finishedAt} />}
          {startedAt && finishedAt && <> after running {between(startedAt, finishedAt)}</>}
          {attempts.length > 1 && `, at its ${ordinal(attempts.length)} attempt`}.
        </p>
      );
    case "canceled":
      return (
        <p>
          <strong>Canceled</strong> {finishedAt && <Ago at={finishedAt} />}
          {attempts.length === 0 && ", before it had started"}
          {job.cancelReason ? (
            <>
              : <q dir="auto">{job.cancelReason}</q>
            </>
          ) : (
            "."
          )}
        </p>
      );
    case "failed":
      return (
        <p>
          <strong>Failed</strong> after {counted(attempts.length, "attempt")}
          {finishedAt && <> over {between(enqueuedAt, finishedAt)}</>}:{" "}
          <code dir="auto">{firstLine(job.error) || "no reason was given"}</code>
        </p>
      );
  }
}

function WaitingLead({ job: { dueAt, enqueuedAt, attempts } }: { job: Job }) {
  const now = useNow(1000);
  const waited = Math.max(0, now - Date.parse(dueAt ?? enqueuedAt));
  return (
    <p>
      <strong>Waiting for a worker</strong> for{" "}
      <span className="num">{duration(Math.floor(waited / 1000) * 1000)}</span>
      {attempts.length > 0 && ", to be tried again"}.
    </p>
  );
}

function RunningLead({ job }: { job: Job }) {
  const now = useNow(1000);
  const since = job.startedAt === null ? 0 : Math.max(0, now - Date.parse(job.startedAt));
  return (
    <p>
      <strong>Running</strong> for{" "}
      <span className="num">{duration(Math.floor(since / 1000) * 1000)}</span>
      {job.worker !== null && (
        <>
          {" on "}
          <code>{job.worker}</code>
        </>
      )}
      {job.maxAttempts > 1 && `, attempt ${job.attempt} of ${job.maxAttempts}`}.
    </p>
  );
}

const between = (from: string, to: string) => duration(Date.parse(to) - Date.parse(from));

function ordinal(value: number): string {
  const teen = value % 100 > 10 && value % 100 < 14;
  const end = teen ? "th" : (["th", "st", "nd", "rd"][value % 10] ?? "th");
  return `${value}${end}`;
}
