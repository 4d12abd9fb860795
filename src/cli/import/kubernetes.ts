import { parseAllDocuments } from "yaml";
import { CarillonError } from "../../errors.js";
import { collect } from "./collect.js";
import { convertCron, type Dialect } from "./cron-text.js";
import { containerTarget, type PodContainer } from "./kubernetes-container.js";
import type { Entry, Imported } from "./types.js";

const KUBERNETES: Dialect = {
  starStepRestricts: true,
  fullRangeIsStar: false,
  numberStep: "from",
  seconds: false,
};
const OVERLAP = { Allow: "queue", Forbid: "skip", Replace: "replace" } as const;
const YEAR = 31_536_000;

/** What is read of a CronJob (batch/v1). */
interface CronJob {
  kind?: string;
  items?: CronJob[];
  metadata?: { name?: string; namespace?: string };
  spec?: {
    schedule?: string;
    timeZone?: string;
    concurrencyPolicy?: keyof typeof OVERLAP;
    startingDeadlineSeconds?: number;
    suspend?: boolean;
    successfulJobsHistoryLimit?: number;
    failedJobsHistoryLimit?: number;
    jobTemplate?: { spec?: JobSpec };
  };
}

interface JobSpec {
  backoffLimit?: number;
  activeDeadlineSeconds?: number;
  parallelism?: number;
  completions?: number;
  ttlSecondsAfterFinished?: number;
  template?: { spec?: { containers?: PodContainer[] } };
}

/**
 * Reads CronJobs of Kubernetes: several documents, or lists of them; other kinds are passed over.
 *
 * @param containers whether a dispatcher is to run the containers; else onJob is told of them
 */
export function importKubernetes(text: string, containers = false): Imported {
  const documents = parseAllDocuments(text).flatMap((document) => {
    if (document.errors[0] !== undefined) {
      throw new CarillonError("invalid_input", `not YAML: ${document.errors[0].message}`);
    }
    return flatten(document.toJS() as CronJob | null);
  });
  const cronJobs = documents.filter(({ kind }) => kind === "CronJob");
  const entries = cronJobs.map((cronJob) => toEntry(cronJob, containers));
  return collect(entries, [
    containers
      ? "the containers are run by a dispatcher, without a network, as far as CARILLON_CONTAINER_IMAGES allows"
      : "the containers are not run: onJob gets image, command and args in its payload, as method container; --containers has a dispatcher run them",
    "Kubernetes counts tries of pods within one job; here they are attempts of the job",
  ]);
}

const flatten = (document: CronJob | null): CronJob[] =>
  document === null ? [] : document.items ? document.items.flatMap(flatten) : [document];

function toEntry({ metadata = {}, spec = {} }: CronJob, asTargets: boolean): Entry {
  const {
    schedule = "",
    timeZone,
    concurrencyPolicy = "Allow",
    startingDeadlineSeconds,
    suspend,
  } = spec;
  const converted = convertCron(schedule, KUBERNETES);
  const timezone = timeZone ?? converted.timezone;
  const job = spec.jobTemplate?.spec ?? {};
  const containers = job.template?.spec?.containers ?? [];
  const notes: Entry["notes"] = [...converted.notes];
  if (timezone === undefined)
    notes.push({
      kind: "changed",
      text: "without a timeZone it followed the cluster's clock; here GMT",
    });
  if (startingDeadlineSeconds === undefined) {
    notes.push({
      kind: "changed",
      text: "without startingDeadlineSeconds it was never too late: catchUpWindow is a year, and more than 100 missed slots do not stop it",
    });
  } else
    notes.push({
      kind: "changed",
      text: `startingDeadlineSeconds ${startingDeadlineSeconds} became catchUpWindow`,
    });
  notes.push({
    kind: "changed",
    text: `concurrencyPolicy ${concurrencyPolicy} became overlapPolicy ${OVERLAP[concurrencyPolicy]}`,
  });
  for (const lost of ["successfulJobsHistoryLimit", "failedJobsHistoryLimit"] as const) {
    if (spec[lost] !== undefined)
      notes.push({ kind: "lost", text: `${lost}: history is kept by time here` });
  }
  if ((job.parallelism ?? 1) > 1 || (job.completions ?? 1) > 1) {
    notes.push({ kind: "lost", text: "parallelism and completions: a slot makes one job here" });
  }
  if (containers.length > 1)
    notes.push({ kind: "lost", text: `${containers.length - 1} further containers` });
  if (job.ttlSecondsAfterFinished !== undefined)
    notes.push({ kind: "lost", text: "ttlSecondsAfterFinished" });
  const target = asTargets
    ? containerTarget(containers[0] ?? {}, job.activeDeadlineSeconds, notes)
    : undefined;
  if (job.activeDeadlineSeconds !== undefined) {
    notes.push({
      kind: "changed",
      text: "activeDeadlineSeconds became timeout: of each attempt, not of all together",
    });
  }
  return {
    label: [metadata.namespace, metadata.name ?? "cronjob"]
      .filter((part) => part !== undefined && part !== "default")
      .join("-"),
    schedule: converted.schedule,
    fields: {
      ...(timezone === undefined ? {} : { timezone }),
      ...(target === undefined ? toldOf(containers[0] ?? {}) : { target }),
      overlapPolicy: OVERLAP[concurrencyPolicy],
      catchUpWindow: Math.min(startingDeadlineSeconds ?? YEAR, YEAR),
      maxAttempts: Math.min((job.backoffLimit ?? 6) + 1, 100),
      ...(job.activeDeadlineSeconds === undefined || target !== undefined
        ? {}
        : { timeout: Math.min(job.activeDeadlineSeconds, 86_400) }),
      ...(suspend ? { enabled: false, pauseNote: "suspended in Kubernetes" } : {}),
    },
    notes,
  };
}

/** What onJob is told of a container. */
const toldOf = ({ image, command, args }: PodContainer): Entry["fields"] => ({
  method: "container",
  payload: {
    ...(image ? { image } : {}),
    ...(command ? { command } : {}),
    ...(args ? { args } : {}),
  },
});
