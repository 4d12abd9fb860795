import type { Sql } from "../db/connect.js";
import { ALL_TARGETS, targetsOf } from "../db/jobs.js";
import { databaseIdentity } from "../db/system.js";
import type { Logger } from "../log.js";
import { SecretStore } from "../secrets/app-secrets.js";
import type { Keyring } from "../secrets/keyring.js";
import type { TargetsConfig } from "../targets/config.js";
import { Targets } from "../targets/targets.js";
import { jobSeconds } from "../targets/timeouts.js";
import { packageVersion } from "../version.js";
import type { WorkerConfig } from "../worker/options.js";
import type { Worker } from "../worker/types.js";
import { QueueWorker } from "../worker/worker.js";
import { CircuitBreakers } from "./breaker.js";
import { createDispatch } from "./route.js";
import { startSweeper } from "./sweeper.js";

export interface DispatcherOptions {
  /** A pool to use; it stays its owner's. */
  readonly sql: Sql;
  /** What the operator lets targets do. */
  readonly targets: TargetsConfig;
  readonly logger: Logger;
  /** The apps whose jobs to send; default all. */
  readonly apps?: readonly string[];
  /** What opens the secrets of apps; without it nothing that needs one is sent. */
  readonly keyring?: Keyring | undefined;
  /** Jobs under way at once; default 50. */
  readonly concurrency?: number;
  /** Seconds a lease lasts without a heartbeat; default 30. */
  readonly leaseSeconds?: number;
  /** Seconds a stopping dispatcher waits for what is under way; default 25. */
  readonly drainSeconds?: number;
  /** Whether to be woken by LISTEN; default true. */
  readonly listen?: boolean;
  /** Whether to tick once a second, too; default false. */
  readonly ticker?: boolean;
}

/** A running dispatcher. Disposing of it stops it in order. */
export interface Dispatcher extends AsyncDisposable {
  readonly worker: Worker;
}

/**
 * Starts a dispatcher: an ordinary worker, with leases, heartbeats and limits as every other, that
 * takes the jobs with targets, of all apps or of some, and sends them there.
 */
export function startDispatcher(options: DispatcherOptions): Dispatcher {
  const { sql, logger } = options;
  const secrets = new SecretStore({ sql, keyring: options.keyring });
  const targets = new Targets(options.targets, packageVersion());
  const worker = new QueueWorker(configOf(options), {
    route: createDispatch({
      targets,
      breakers: new CircuitBreakers({ sql, log: logger, usual: options.targets.breaker }),
      secretsOf: (appId) => secrets.of(appId),
      identity: once(() => databaseIdentity(sql)),
    }),
    timeoutOf: ({ target }) => (target === null ? 0 : jobSeconds(target)),
  });
  const sweeper = startSweeper(targets.container, logger);
  return {
    worker,
    async [Symbol.asyncDispose]() {
      await worker.stop();
      await sweeper[Symbol.asyncDispose]();
      await targets[Symbol.asyncDispose]();
    },
  };
}

function configOf(options: DispatcherOptions): WorkerConfig {
  const { sql, logger, apps, listen = true } = options;
  return Object.freeze({
    apps: [],
    keys: apps === undefined || apps.length === 0 ? [ALL_TARGETS] : apps.map(targetsOf),
    concurrency: options.concurrency ?? 50,
    leaseSeconds: options.leaseSeconds ?? 30,
    timeoutSeconds: 900,
    drainSeconds: options.drainSeconds ?? 25,
    database: sql,
    connections: 0,
    prepare: true,
    listen,
    pollMs: listen ? 5000 : 1000,
    ticker: options.ticker ?? false,
    logger,
    signals: false,
  });
}

/** Asks until there is an answer, and then no more. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () =>
    (answer ??= ask().catch((error: unknown) => {
      answer = undefined;
      throw error;
    }));
}
