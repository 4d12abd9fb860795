import postgres from "postgres";

import { install } from "../../../src/deploy/install.js";
import { type Engine, startEngine } from "../../../src/dev/engines/index.js";
import { withDatabase } from "../../helpers/engine-url.js";

export type BenchSql = postgres.Sql<{ bigint: number }>;

/**
 * The one server that all contestants share. It is a throw-away one, so fsync and full_page_writes
 * are off for all of them alike; synchronous_commit stays on. Commits are stamped, so that it can be
 * told when a row became visible to others.
 */
const SETTINGS = {
  shared_buffers: "1GB",
  max_wal_size: "8GB",
  checkpoint_timeout: "30min",
  synchronous_commit: "on",
  track_commit_timestamp: "on",
  max_worker_processes: "48",
  "cron.max_running_jobs": "32",
};

/** A private server, with one database per contestant. */
export class BenchServer implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #pools: BenchSql[] = [];

  private constructor(engine: Engine) {
    this.#engine = engine;
  }

  static async start(log: (line: string) => void): Promise<BenchServer> {
    const wanted = process.env.CARILLON_ENGINE ?? "";
    const engine = await startEngine({
      engine: wanted === "pg15" || wanted === "embedded" ? wanted : "pg17",
      settings: SETTINGS,
      log: (line) => log(`server: ${line}`),
    });
    const own = Object.entries(SETTINGS).map(([name, value]) => `${name}=${value}`);
    log(`server: fsync=off full_page_writes=off wal_level=minimal jit=off ${own.join(" ")}`);
    return new BenchServer(engine);
  }

  /** The database pg_cron lives in. */
  get cronUrl(): string {
    return this.#engine.databaseUrl;
  }

  get pgCron(): string | null {
    return this.#engine.pgCron;
  }

  /** An empty database. */
  async database(name: string): Promise<string> {
    const admin = this.connect(this.cronUrl, 1);
    await admin.unsafe(`drop database if exists ${name} with (force)`);
    await admin.unsafe(`create database ${name}`);
    return withDatabase(this.cronUrl, name);
  }

  /** An empty database with Carillon in it; the ticker drives, if anything does. */
  async carillon(name: string): Promise<string> {
    const url = await this.database(name);
    await install(url, { pgCron: "off" });
    return url;
  }

  /** A pool that is closed with the server. */
  connect(url: string, max = 4): BenchSql {
    const sql = postgres(url, {
      max,
      onnotice: () => undefined,
      connection: { application_name: "bench" },
      types: { bigint: { to: 20, from: [20], serialize: String, parse: Number } },
    }) as BenchSql;
    this.#pools.push(sql);
    return sql;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#pools.map((sql) => sql.end({ timeout: 1 })));
    await this.#engine.close();
  }
}
