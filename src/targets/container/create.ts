import type { TargetJob } from "../types.js";
import type { ImageReference } from "./images.js";
import type { ContainerSpec } from "./schema.js";

/** The label that all of our containers have; its value is the job's key. */
export const KEY_LABEL = "carillon.key";
/** How long one may run, in seconds: known to who finds it, whoever made it. */
export const TIMEOUT_LABEL = "carillon.timeout";

export const DEFAULT_TIMEOUT_SECONDS = 30;
const DEFAULT_MEMORY_MIB = 256;
const MAX_PROCESSES = 1024;

/** One container for a job at a time: the engine refuses a second one of the name. */
export const containerName = ({ key }: TargetJob): string => `carillon-${key}`;

/** The image as the engine is asked for it. */
export const imageName = ({ name, tag, digest }: ImageReference): string =>
  digest === undefined ? `${name}:${tag}` : `${name}@${digest}`;

/** What the engine is told to make of a spec. */
export function creation(spec: ContainerSpec, image: ImageReference, job: TargetJob): object {
  const memory = (spec.memory ?? DEFAULT_MEMORY_MIB) * 1024 * 1024;
  return {
    Image: imageName(image),
    ...(spec.cmd === undefined || spec.cmd === null ? {} : { Cmd: spec.cmd }),
    Env: Object.entries(spec.env ?? {}).map(([name, value]) => `${name}=${value}`),
    StopSignal: spec.stopSignal ?? "SIGTERM",
    Tty: false,
    Labels: {
      [KEY_LABEL]: job.key,
      [TIMEOUT_LABEL]: String(spec.timeout ?? DEFAULT_TIMEOUT_SECONDS),
      "carillon.app": job.appId,
      "carillon.job": String(job.jobId),
      "carillon.attempt": String(job.attempt),
    },
    HostConfig: {
      NetworkMode: spec.network ?? "none",
      Memory: memory,
      MemorySwap: memory,
      NanoCpus: Math.round((spec.cpus ?? 1) * 1e9),
      PidsLimit: MAX_PROCESSES,
      SecurityOpt: ["no-new-privileges"],
      RestartPolicy: { Name: "no" },
      // The driver that keeps bytes as they are; json-file replaces what is no UTF-8.
      LogConfig: { Type: "local", Config: { "max-size": "256m", "max-file": "2" } },
    },
  };
}
