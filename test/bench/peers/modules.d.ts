/*
 * What the benchmarks use of the peers. They are installed only when a benchmark runs, and the
 * project's types are to be checked without them.
 */

declare module "pg-boss" {
  export interface BossJob {
    data: unknown;
  }

  export class PgBoss {
    constructor(options: {
      connectionString: string;
      max?: number;
      useListenNotify?: boolean;
      schedule?: boolean;
      supervise?: boolean;
      cronMonitorIntervalSeconds?: number;
      cronWorkerIntervalSeconds?: number;
    });
    on(event: "error", listener: (error: Error) => void): this;
    start(): Promise<this>;
    stop(options?: { graceful?: boolean }): Promise<void>;
    createQueue(name: string, options?: { notify?: boolean; retryLimit?: number }): Promise<void>;
    send(name: string, data: object): Promise<string | null>;
    insert(name: string, jobs: { data: object }[]): Promise<string[] | null>;
    work(
      name: string,
      options: {
        batchSize?: number;
        localConcurrency?: number;
        burstWhenBatchFull?: boolean;
        pollingIntervalSeconds?: number;
        notifyPollingIntervalSeconds?: number;
      },
      handler: (jobs: BossJob[]) => Promise<void>,
    ): Promise<string>;
    offWork(name: string): Promise<void>;
    schedule(name: string, cron: string, data: object, options: { key: string }): Promise<void>;
  }
}

declare module "graphile-worker" {
  export interface Runner {
    stop(): Promise<void>;
    promise: Promise<void>;
  }

  export interface WorkerUtils {
    migrate(): Promise<void>;
    addJob(task: string, payload: object): Promise<unknown>;
    addJobs(
      specs: { identifier: string; payload: object; maxAttempts?: number }[],
    ): Promise<unknown>;
    release(): Promise<void>;
  }

  export interface CronItem {
    task: string;
    match: string;
    identifier: string;
    payload: object;
  }

  export interface ParsedCronItem {
    readonly task: string;
  }

  export class Logger {
    constructor(factory: () => () => void);
  }

  interface Options {
    preset: {
      worker: {
        connectionString: string;
        concurrentJobs?: number;
        maxPoolSize?: number;
        localQueue?: { size: number };
        completeJobBatchDelay?: number;
        failJobBatchDelay?: number;
        logger?: Logger;
      };
    };
  }

  export function makeWorkerUtils(options: Options): Promise<WorkerUtils>;
  export function parseCronItems(items: CronItem[]): ParsedCronItem[];
  export function run(
    options: Options & {
      taskList: Record<string, (payload: unknown) => void | Promise<void>>;
      parsedCronItems?: ParsedCronItem[];
      noHandleSignals?: boolean;
    },
  ): Promise<Runner>;
}
