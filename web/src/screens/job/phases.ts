import { duration } from "../../time/format.js";
import { isLive, isLost, type Attempt, type Job } from "../../jobs/types.js";

/*
 * What a job went through, by the instants on record of each attempt: nothing is inferred from its
 * newest state, which later writes overwrite.
 */

/** What a job is in for a while. */
export type PhaseKind =
  | "late"
  | "scheduled"
  | "queued"
  | "running"
  | "completed"
  | "failed"
  | "canceled"
  | "lost"
  | "backoff";

/** The one table of how phases are called; their bars and the legend are drawn by it. */
export const PHASES: Readonly<Record<PhaseKind, string>> = {
  late: "due, not enqueued yet",
  scheduled: "not due yet",
  queued: "waiting in the queue",
  running: "running",
  completed: "ran well",
  failed: "ran and failed",
  canceled: "ran, was canceled",
  lost: "lease lost",
  backoff: "waiting for the next try",
};

export interface Phase {
  kind: PhaseKind;
  /** Milliseconds since the epoch. */
  from: number;
  to: number;
  /** It is not over. */
  open: boolean;
}

/** A line of the picture. */
export interface PhaseRow {
  name: string;
  /** Who did it. */
  by: string | null;
  phases: Phase[];
  /** The same in words: the picture says no more. */
  text: string;
  error: unknown;
}

const ms = (time: string) => Date.parse(time);

/**
 * @param now the server's time
 */
export function phasesOf(job: Job, now: number): PhaseRow[] {
  const rows = [queueRow(job, now)];
  job.attempts.forEach((attempt, at) => rows.push(attemptRow(job, attempt, at, now)));
  const last = job.attempts.at(-1);
  if (last !== undefined && job.status !== "running" && isLive(job.status)) {
    rows.push(nextRow(job, endOf(job, last, job.attempts.length - 1, now), now));
  }
  return rows;
}

function queueRow(job: Job, now: number): PhaseRow {
  const enqueued = ms(job.enqueuedAt);
  const [first] = job.attempts;
  const over = first?.startedAt ?? job.finishedAt;
  const end = over === null ? now : ms(over);
  const due = job.dueAt === null ? enqueued : ms(job.dueAt);
  const phases: Phase[] = [];
  const slot = job.scheduledFor === null ? enqueued : ms(job.scheduledFor);
  if (slot < enqueued) phases.push({ kind: "late", from: slot, to: enqueued, open: false });
  // Before its first attempt only, dueAt is when it may begin.
  const wait = first === undefined && due > enqueued ? Math.min(due, end) : enqueued;
  const soon = first === undefined && over === null && due > now;
  if (wait > enqueued || soon) {
    phases.push({ kind: "scheduled", from: enqueued, to: soon ? due : wait, open: soon });
  }
  if (!soon && end > wait) {
    phases.push({ kind: "queued", from: wait, to: end, open: over === null });
  }
  const lag = slot < enqueued ? `enqueued ${duration(enqueued - slot)} after it was due, ` : "";
  const rest = soon
    ? `due in ${duration(due - now)}`
    : over === null
      ? `waiting for ${duration(Math.max(0, now - wait))}`
      : first === undefined
        ? `left the queue after ${duration(end - enqueued)}, never started`
        : `waited ${duration(end - enqueued)} for its first start`;
  return { name: "Queue", by: null, phases, text: lag + rest, error: null };
}

/** An attempt whose worker fell silent has no end on record: the next one began when it was noticed. */
function endOf(job: Job, attempt: Attempt, at: number, now: number): number {
  const end = attempt.finishedAt ?? job.attempts[at + 1]?.startedAt ?? job.finishedAt;
  if (end !== null) return ms(end);
  return isLost(attempt) && job.dueAt !== null ? Math.min(ms(job.dueAt), now) : now;
}

function attemptRow(job: Job, attempt: Attempt, at: number, now: number): PhaseRow {
  const from = ms(attempt.startedAt);
  const to = Math.max(from, endOf(job, attempt, at, now));
  const before = job.attempts[at - 1];
  const isLast = at === job.attempts.length - 1;
  const kind = kindOf(job, attempt, isLast);
  const phases: Phase[] = [];
  const rested = before === undefined ? from : endOf(job, before, at - 1, now);
  if (rested < from) phases.push({ kind: "backoff", from: rested, to: from, open: false });
  phases.push({ kind, from, to, open: kind === "running" });
  const again = rested < from ? `${duration(from - rested)} after the one before, ` : "";
  return {
    name: `Attempt ${attempt.attempt}`,
    by: attempt.worker,
    phases,
    text: again + wordsFor(kind, to - from, attempt, isLast),
    error: kind === "lost" ? null : attempt.error,
  };
}

function kindOf({ status }: Job, attempt: Attempt, isLast: boolean): PhaseKind {
  if (isLost(attempt)) return "lost";
  if (attempt.error !== null || !isLast) return "failed";
  if (status === "completed" || status === "failed" || status === "canceled") return status;
  return attempt.finishedAt === null ? "running" : "failed";
}

function wordsFor(kind: PhaseKind, length: number, { worker }: Attempt, isLast: boolean): string {
  const took = duration(length);
  if (kind === "running") return `running for ${took}`;
  if (kind === "completed") return `completed in ${took}`;
  if (kind === "canceled") return `canceled after ${took}`;
  if (kind === "failed") return `failed after ${took}`;
  const again = isLast ? "" : ", then delivered again";
  return `${worker ?? "its worker"} stopped answering; noticed ${took} after the start${again}`;
}

function nextRow(job: Job, since: number, now: number): PhaseRow {
  const due = job.dueAt === null ? now : ms(job.dueAt);
  const ahead = due > now;
  const next = job.attempt + 1;
  const phases: Phase[] = [];
  if (due > since)
    phases.push({
      kind: "backoff",
      from: since,
      to: ahead ? due : Math.min(due, now),
      open: ahead,
    });
  if (!ahead) phases.push({ kind: "queued", from: Math.max(since, due), to: now, open: true });
  return {
    name: `Attempt ${next}`,
    by: null,
    phases,
    text: ahead ? `next try in ${duration(due - now)}` : "waiting for a worker",
    error: null,
  };
}

/** The span that is drawn. */
export interface Axis {
  from: number;
  to: number;
  /** What came long before is cut off at the left. */
  cut: boolean;
}

/** All of it; where most of that is waiting for the first start, its end only. */
export function axisOf(rows: readonly PhaseRow[]): Axis {
  const phases = rows.flatMap((row) => row.phases);
  const from = Math.min(...phases.map((phase) => phase.from));
  const to = Math.max(...phases.map((phase) => phase.to), from + 1);
  const starts = rows.slice(1).flatMap((row) => row.phases.map((phase) => phase.from));
  if (starts.length === 0) return { from, to, cut: false };
  const first = Math.min(...starts);
  const rest = Math.max(1, to - first);
  return first - from > 3 * rest
    ? { from: first - rest / 2, to, cut: true }
    : { from, to, cut: false };
}
