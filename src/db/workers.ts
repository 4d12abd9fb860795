import { run, type Queryable } from "./connect.js";
import type { Actor } from "./principals.js";

/** Who a worker is, and what it claims. */
export interface WorkerNote {
  name: string;
  /** See {@link claimJobs}. */
  keys: readonly string[];
  host: string;
  pid: number;
  version: string;
  concurrency: number;
}

/** Says that a worker is there. */
export const noteWorker = (sql: Queryable, worker: WorkerNote) => {
  const { name, keys, host, pid, version, concurrency } = worker;
  return run(sql`
    select carillon.note_worker(
      worker => ${name}, keys => ${[...keys]}, host => ${host}, pid => ${pid}, version => ${version},
      concurrency => ${concurrency})`);
};

/** Says that it is not there any more. */
export const forgetWorker = (sql: Queryable, name: string, keys: readonly string[]) =>
  run(sql`select carillon.forget_worker(worker => ${name}, keys => ${[...keys]})`);

export interface WorkerRow {
  name: string;
  kind: "worker" | "dispatcher";
  /** Null for a dispatcher of all apps. */
  apps: string[] | null;
  host: string;
  pid: number;
  version: string;
  concurrency: number;
  startedAt: Date;
  seenAt: Date;
  /** It was heard of lately. */
  there: boolean;
  /** Jobs it has running, of the apps asked for. */
  running: number;
}

/** Workers and dispatchers of the apps whose jobs an actor may read, idle ones too. */
export const listWorkers = (sql: Queryable, app: string | undefined, actor: Actor | null) =>
  run(sql<WorkerRow[]>`
    select * from carillon.list_workers(
      app => ${app ?? null}, actor => ${actor?.principalId ?? null}, actor_scopes => ${actor?.scopes ?? null})`);
