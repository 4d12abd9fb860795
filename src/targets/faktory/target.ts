import { completed, failed } from "../outcome.js";
import type { Outcome, Target, TargetContext, TargetJob } from "../types.js";
import { FaktoryClient, type FaktoryJob } from "./client.js";
import type { ConnectionOptions } from "./connection.js";
import { FaktoryFailure } from "./failure.js";
import { type FaktoryInstance, instanceName } from "./instances.js";
import { FaktorySpec } from "./schema.js";

const QUEUES_TIMEOUT_MS = 5_000;

/** Failures that are the server's. */
const BROKEN = new Set(["connect", "tls", "timeout", "reset", "protocol", "password"]);

/** What is kept of a push: Faktory owns the job from here on. */
export interface FaktoryRecord {
  readonly type: "faktory";
  readonly instance: string;
  readonly jid: string;
  readonly queue: string;
  readonly jobType: string;
}

/** Pushes jobs to Faktory servers. A job has succeeded once the server has accepted it. */
export class FaktoryTarget implements Target<FaktorySpec> {
  readonly type = "faktory";
  readonly schema = FaktorySpec;
  readonly #clients: ReadonlyMap<string, FaktoryClient>;

  constructor(instances: ReadonlyMap<string, FaktoryInstance>, options: ConnectionOptions = {}) {
    this.#clients = new Map(
      [...instances].map(([name, instance]) => [name, new FaktoryClient(instance, options)]),
    );
  }

  /** Names of the configured instances, sorted. */
  get instances(): string[] {
    return [...this.#clients.keys()].sort();
  }

  breakerKey({ instance }: FaktorySpec): string {
    return `faktory ${instanceName(instance ?? "default")}`;
  }

  async run(spec: FaktorySpec, job: TargetJob, { signal }: TargetContext): Promise<Outcome> {
    const record: FaktoryRecord = {
      type: "faktory",
      instance: instanceName(spec.instance ?? "default"),
      // The same for every attempt, so that a push that was repeated can be told.
      jid: job.key,
      queue: spec.queue ?? "default",
      jobType: spec.jobType,
    };
    try {
      const deadline = AbortSignal.timeout((spec.timeout ?? 10) * 1000);
      const client = this.#client(record.instance);
      await client.push(toPush(spec, record), AbortSignal.any([signal, deadline]));
      return completed(record);
    } catch (error) {
      const { class: kind, message } =
        error instanceof FaktoryFailure ? error : new FaktoryFailure("internal", String(error));
      return failed(
        { class: kind, message },
        { result: record, retryable: kind !== "unknown_instance", broken: BROKEN.has(kind) },
      );
    }
  }

  /**
   * The queues of an instance by name, and how many jobs each holds.
   *
   * @throws FaktoryFailure, after 5 seconds at most
   */
  async queues(instance: string): Promise<{ name: string; size: number }[]> {
    return this.#client(instanceName(instance)).queues(AbortSignal.timeout(QUEUES_TIMEOUT_MS));
  }

  #client(name: string): FaktoryClient {
    const client = this.#clients.get(name);
    if (client !== undefined) return client;
    const variable = `CARILLON_FAKTORY_${name.toUpperCase()}_URL`;
    throw new FaktoryFailure("unknown_instance", `no instance ${name}; set ${variable}`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients.values()) client[Symbol.dispose]();
    return Promise.resolve();
  }
}

const toPush = (spec: FaktorySpec, { jid, queue, jobType }: FaktoryRecord): FaktoryJob => ({
  jid,
  queue,
  jobtype: jobType,
  args: spec.args ?? [],
  ...(typeof spec.reserveFor === "number" ? { reserve_for: spec.reserveFor } : {}),
  ...(typeof spec.retry === "number" ? { retry: spec.retry } : {}),
});
