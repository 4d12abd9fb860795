/** The ways to a development server, in the order `auto` tries them (`pg15` only when asked for). */
export const ENGINE_NAMES = ["url", "pg17", "pg15", "installed", "embedded"] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

export interface EngineOptions {
  /** Which engine; default `CARILLON_ENGINE` from the environment, or else `auto`. */
  engine?: EngineName | "auto";
  /** The database to make, which is also pg_cron's `cron.database_name`; default `carillon`. */
  database?: string;
  /** A folder whose data outlives the engine; default: a throw-away one. */
  dataDir?: string;
  /** The TCP port on 127.0.0.1; default: a free one. */
  port?: number;
  /** Gets one line for each thing worth telling a person; default: silence. */
  log?: (line: string) => void;
  /** Default 300. */
  maxConnections?: number;
  /** More lines for postgresql.conf, stronger than the engine's own. */
  settings?: Record<string, string>;
}

/** A running development server. Dispose of it (`await using`) or call {@link Engine.close}. */
export interface Engine extends AsyncDisposable {
  readonly name: EngineName;
  /** What was chosen, for people: "PostgreSQL 17 with pg_cron 1.6 from Debian trixie". */
  readonly description: string;
  /** Why this one, for people. */
  readonly why: string;
  /** Superuser on the engine's own database; as given for `url`. */
  readonly databaseUrl: string;
  /** The version of pg_cron that is loaded and can be created, or null. */
  readonly pgCron: string | null;
  /** The server's data folder, or null when the server is not ours (`url`). */
  readonly dataDir: string | null;
  /** Starts the server again after {@link stop}, on the same port, with its data. */
  start(): Promise<void>;
  /** Stops the server only. `immediate` is a crash: the next start recovers from the log. */
  stop(mode?: "fast" | "immediate"): Promise<void>;
  /** Stops the server and removes everything the engine made, except a `dataDir` it was given. */
  close(): Promise<void>;
  /**
   * Instead of {@link close}: lets the server live on after this process, to be looked at. A
   * throw-away one is removed by the first engine that starts half a day later.
   */
  leave(): Promise<void>;
}

/** An engine that cannot start. `final` means that no other engine would fare better. */
export class EngineError extends Error {
  readonly final: boolean;

  constructor(message: string, options: { final?: boolean; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "EngineError";
    this.final = options.final ?? false;
  }
}

/** How to run the programs of one PostgreSQL installation. */
export interface Installation {
  readonly name: EngineName;
  readonly description: string;
  readonly why: string;
  readonly major: number;
  readonly pgCron: string | null;
  /** The folder in which throw-away clusters are made. */
  readonly scratch: string;
  /** Who must own a data folder, when that is not ourselves. */
  readonly owner: { uid: number; gid: number } | null;
  /**
   * How `create extension pgmq` finds pgmq's files: they are among the server's own (`files`), in a
   * folder that PostgreSQL 18 is pointed at (`path`), or not at all, and `pgmqSql()` must do (`sql`).
   */
  readonly pgmq: "files" | "path" | "sql";
  /** Settings that only this installation needs. */
  readonly settings: Record<string, string>;
  /**
   * The command that runs a program of the installation on a data folder: `argv` without the
   * program's own arguments, and the path under which the program sees the folder.
   */
  command(program: "initdb" | "postgres", dataDir: string): { argv: string[]; dataDir: string };
}
