import { randomBytes } from "node:crypto";

import { connect, type Sql } from "../../../src/db/connect.js";
import { enqueueJobs } from "../../../src/db/jobs.js";
import { setSecret } from "../../../src/db/secrets.js";
import { startDispatcher } from "../../../src/dispatch/dispatcher.js";
import { createLogger } from "../../../src/log.js";
import { Keyring } from "../../../src/secrets/keyring.js";
import { readTargetsConfig } from "../../../src/targets/config.js";
import type { BenchContext } from "../harness/benchmark.js";
import { since } from "../harness/stats.js";

const APP = "bench";
const BATCH = 1000;

/** A queue of jobs that call a URL, and dispatchers as they are shipped that empty it. */
export interface DispatcherBench extends AsyncDisposable {
  /** Fills the queue, and lets one dispatcher empty it: calls a second until the last is on record. */
  perSecond(calls: number, concurrency: number): Promise<number>;
}

/** @param target what the jobs call; it may refer to the secret KEY */
export async function createDispatcherBench(
  { server }: BenchContext,
  target: { readonly type: "http"; readonly url: string; readonly headers: object },
): Promise<DispatcherBench> {
  const sql = connect(await server.carillon("bench_http"), { max: 6, name: "bench dispatcher" });
  await sql`select carillon.install_app(app => ${APP})`;
  const keyring = new Keyring(randomBytes(32));
  await setSecret(
    sql,
    APP,
    "KEY",
    keyring.seal({ kind: "secret", appId: APP, name: "KEY" }, "value"),
  );
  const settings = {
    ...{ sql, keyring, logger: createLogger("silent") },
    targets: readTargetsConfig({ CARILLON_HTTP_ALLOW: "127.0.0.1" }),
  };
  return {
    async perSecond(calls, concurrency) {
      await fill(sql, calls, target);
      const began = performance.now();
      await using dispatcher = startDispatcher({ ...settings, concurrency });
      await recorded(sql, calls, dispatcher.worker);
      return calls / since(began);
    },
    [Symbol.asyncDispose]: () => sql.end({ timeout: 1 }),
  };
}

async function fill(sql: Sql, calls: number, target: { readonly type: "http" }): Promise<void> {
  await sql`truncate pgmq.q_jobs, carillon.job_history`;
  for (let first = 0; first < calls; first += BATCH) {
    const length = Math.min(BATCH, calls - first);
    const jobs = Array.from({ length }, (_, i) => ({ payload: { n: first + i }, target }));
    await enqueueJobs(sql, APP, jobs);
  }
  await sql`vacuum analyze`;
}

/** Waits until so many jobs are completed, by what the worker says and then by what the history does. */
async function recorded(
  sql: Sql,
  calls: number,
  worker: ReturnType<typeof startDispatcher>["worker"],
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let done = 0;
    worker.on("job:complete", () => {
      if ((done += 1) === calls) resolve();
    });
    worker.on("job:fail", ({ error }) => reject(new Error(`a call failed: ${error.message}`)));
  });
  const [row] = await sql<{ completed: number }[]>`
    select count(*)::integer as completed from carillon.job_history where status = 'completed'`;
  if (row?.completed !== calls) throw new Error(`${row?.completed} of ${calls} are on record`);
}
