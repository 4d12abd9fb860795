import { Link } from "@tanstack/react-router";
import { JobLink } from "../../jobs/JobLink.js";
import { EmptyState } from "../../parts/States.js";
import { useNow } from "../../time/clock.js";
import { duration, wholeSeconds } from "../../time/format.js";
import type { Day } from "./queries.js";
import styles from "./overview.module.css";

type RunningJob = Day["running"][number];

/** What runs just now, the longest for what it is first. */
export function RunningNow({ jobs }: { jobs: readonly RunningJob[] }) {
  if (jobs.length === 0) return <EmptyState title="Nothing runs just now" />;
  return (
    <ul className={styles.running}>
      {jobs.map((job) => (
        <Running key={job.jobId} job={job} />
      ))}
    </ul>
  );
}

function Running({ job }: { job: RunningJob }) {
  const { jobId, appId, cronId, name, worker, startedAt, p95, progress } = job;
  const now = useNow(1000);
  const ran = now - Date.parse(startedAt);
  const usual = p95 === null ? undefined : p95 * 1000;
  const over = usual !== undefined && ran > usual * 1.2;
  // Reported, or else guessed by how long it usually takes.
  const share = progress?.percent ?? (usual === undefined ? undefined : (ran / usual) * 100);
  return (
    <li>
      <p className={styles.what}>
        {cronId === null || name === null ? (
          <strong>{appId}</strong>
        ) : (
          <Link to="/crons/$appId/$cronId" params={{ appId, cronId }} className={styles.name}>
            {name}
          </Link>
        )}
        <span className="muted small">
          {appId} · job <JobLink appId={appId} id={jobId} />
          {worker && ` · ${worker}`}
        </span>
        <span className={styles.elapsed} data-over={over || undefined}>
          {wholeSeconds(Math.max(0, ran))}
        </span>
      </p>
      {share !== undefined && (
        <svg
          className={styles.bar}
          viewBox="0 0 100 4"
          preserveAspectRatio="none"
          aria-hidden="true"
        >
          <path className={styles.track} d="M0 0h100v4H0z" />
          <path
            className={styles.done}
            data-guess={progress === null || undefined}
            data-over={over || undefined}
            d={`M0 0h${Math.min(100, Math.max(1, share))}v4H0z`}
          />
        </svg>
      )}
      <p className="muted small">
        {progress && (
          <span dir="auto">
            {Math.round(progress.percent)} %{progress.note && ` · ${progress.note}`}
            {usual !== undefined && " · "}
          </span>
        )}
        {usual !== undefined && `95 of 100 take less than ${duration(usual)}`}
        {over && usual !== undefined && (
          <strong className={styles.over}> · {(ran / usual).toFixed(1)}× longer</strong>
        )}
      </p>
    </li>
  );
}
