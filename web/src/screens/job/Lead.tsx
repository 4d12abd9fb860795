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
      return (
        <p>
          <strong>{attempts.length > 0 ? "Waiting for its next try" : "Waiting"}</strong>
          {dueAt !== null && status === "pending" ? (
            <>
              {": due "}
              <Time at={dueAt} seconds /> <Countdown at={dueAt} />.
            </>
          ) : (
            <>
              {" "}
              for a worker since <Ago at={dueAt ?? enqueuedAt} />.
            </>
          )}
        </p>
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
