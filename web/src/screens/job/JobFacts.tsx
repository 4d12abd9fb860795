import type { ReactNode } from "react";
import { TARGET_WORDS } from "../../crons/types.js";
import { CronLink } from "../../jobs/CronLink.js";
import { JobLink } from "../../jobs/JobLink.js";
import { PersonName } from "../../jobs/PersonName.js";
import { isLost, TRIGGER_WORDS, type Job } from "../../jobs/types.js";
import { Card, Chip, Facts } from "../../parts/Page.js";
import { counted, duration } from "../../time/format.js";
import { Time } from "../../time/Time.js";
import styles from "./job.module.css";

/** What is known of a job besides its story. */
export function JobFacts({ job }: { job: Job }) {
  const { appId, status, cronId, scheduledFor, userId, retryOf, retriedBy, dueAt, expiresAt } = job;
  const facts: (readonly [string, ReactNode] | false)[] = [
    cronId !== null && ["Cron", <CronLink key="c" appId={appId} cronId={cronId} />],
    scheduledFor !== null && ["Slot", <Time key="s" at={scheduledFor} seconds offset />],
    [
      "Goes to",
      job.target === null ? "the app's workers" : `its target: ${TARGET_WORDS[job.target.type]}`,
    ],
    ["Trigger", TRIGGER_WORDS[job.trigger]],
    ["Enqueued", <Time key="e" at={job.enqueuedAt} seconds offset />],
    // Of a running job it is when its lease ends.
    status !== "running" && dueAt !== null && ["Due", <Time key="d" at={dueAt} seconds offset />],
    job.startedAt !== null && ["Last started", <Time key="t" at={job.startedAt} seconds offset />],
    job.finishedAt !== null && ["Finished", <Time key="f" at={job.finishedAt} seconds offset />],
    expiresAt !== null && ["Canceled unless started by", <Time key="x" at={expiresAt} seconds />],
    userId !== null && ["Runs as", <PersonName key="u" id={userId} />],
    ["Attempts", triesWords(job)],
    job.maxAttempts > 1 && ["Before the next", retryWords(job)],
    ["Timeout", job.timeout === null ? "the worker's" : duration(job.timeout * 1000)],
    ["Priority", job.priority],
    job.tags.length > 0 && [
      "Tags",
      <span key="g" className={styles.chips}>
        {job.tags.map((tag) => (
          <Chip key={tag}>{tag}</Chip>
        ))}
      </span>,
    ],
    retryOf !== null && ["Runs again", <JobLink key="r" appId={appId} id={retryOf} />],
    retriedBy.length > 0 && [
      "Run again as",
      <span key="b" className={styles.chips}>
        {retriedBy.map((id) => (
          <JobLink key={id} appId={appId} id={id} />
        ))}
      </span>,
    ],
  ];
  return (
    <Card title="Facts">
      <Facts facts={facts.filter((fact) => fact !== false)} />
    </Card>
  );
}

function triesWords({ attempts, maxAttempts }: Job): string {
  const lost = attempts.filter(isLost).length;
  const besides = lost > 0 ? `, and ${counted(lost, "lost lease")}, which does not count` : "";
  return `${attempts.length - lost} of ${maxAttempts}${besides}`;
}

function retryWords({ retryDelay, retryBackoff }: Job): string {
  const delay = duration((retryDelay ?? 10) * 1000);
  return `${delay}, then ${retryBackoff ?? 2} times as long each`;
}
