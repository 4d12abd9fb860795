import {
  appendFile,
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { pgmqFiles } from "../pgmq.js";
import { clusterSettings, toConf } from "./conf.js";
import { KEPT_FILE, prepareDataDir, stagingFor, sweep } from "./folders.js";
import { freePort, isFree } from "./ports.js";
import { claim, lastLine, removeRecycledPid, run, serverOf } from "./processes.js";
import { SupervisedServer } from "./supervisor.js";
import { type Engine, EngineError, type Installation } from "./types.js";

/** What {@link startEngine} has resolved from its options. */
export interface ClusterOptions {
  database: string;
  dataDir: string | null;
  port: number | null;
  maxConnections: number;
  settings: Record<string, string>;
}

/** One data folder of an installation, with the server on it. */
export class Cluster implements Engine {
  readonly name;
  readonly description;
  readonly why;
  readonly pgCron;
  private readonly installation: Installation;
  private readonly options: ClusterOptions;
  /** Holds the data folder of a throw-away cluster, its log and pgmq's files. */
  private readonly home: string;
  readonly dataDir: string;
  private port = 0;
  private server: SupervisedServer | null = null;
  private closed = false;

  private constructor(installation: Installation, options: ClusterOptions, home: string) {
    this.name = installation.name;
    this.description = installation.description;
    this.why = installation.why;
    this.pgCron = installation.pgCron;
    this.installation = installation;
    this.options = options;
    this.home = home;
    this.dataDir = options.dataDir ?? join(home, "data");
  }

  /** Makes the data folder if need be and starts a server on it. */
  static async open(installation: Installation, options: ClusterOptions): Promise<Cluster> {
    await sweep(installation.scratch);
    const home = await mkdtemp(join(installation.scratch, "c-"));
    const cluster = new Cluster(installation, options, home);
    try {
      await claim(home);
      await chmod(home, 0o755);
      await cluster.initialise();
      await cluster.launch();
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  get databaseUrl(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/${this.options.database}`;
  }

  async start(): Promise<void> {
    if (this.closed) throw new EngineError("the engine is closed");
    if (this.server?.isRunning === true) {
      if (await this.listens()) {
        // One that was killed this moment still has its port: it is gone when looked at again.
        await sleep(100);
        if (await this.listens()) return;
      }
      // Somebody killed the server: a dying process lets go of its port before its number.
      await this.server.ended;
    }
    await this.launch();
  }

  async stop(mode: "fast" | "immediate" = "fast"): Promise<void> {
    await this.server?.stop(mode);
    this.server = null;
  }

  async close(): Promise<void> {
    this.closed = true;
    // Nobody will read throw-away data again, so it need not be written out.
    await this.stop(this.options.dataDir === null ? "immediate" : "fast");
    await rm(this.home, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }

  async leave(): Promise<void> {
    await writeFile(join(this.home, KEPT_FILE), "");
    this.server?.leave();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private async listens(): Promise<boolean> {
    return (await serverOf(this.dataDir)) !== null && !(await isFree(this.port));
  }

  private get logFile(): string {
    return join(this.options.dataDir === null ? this.home : this.dataDir, "server.log");
  }

  /** initdb and the database, made aside and renamed, so that a killed run leaves no half folder. */
  private async initialise(): Promise<void> {
    if (this.options.dataDir === null) {
      await this.make(this.dataDir);
    } else if (!(await prepareDataDir(this.dataDir, this.installation))) {
      const staging = await stagingFor(this.dataDir);
      try {
        await this.make(join(staging, "data"));
        await rename(join(staging, "data"), this.dataDir);
      } finally {
        await rm(staging, { recursive: true, force: true });
      }
    }
    if (this.options.dataDir !== null) await claim(this.dataDir);
  }

  private async make(folder: string): Promise<void> {
    await mkdir(folder, { mode: 0o700 });
    const { owner } = this.installation;
    if (owner !== null) await chown(folder, owner.uid, owner.gid);
    await this.initdb(folder);
    await this.createDatabase(folder);
  }

  private async initdb(folder: string): Promise<void> {
    const { argv, dataDir } = this.installation.command("initdb", folder);
    // Everyone on this machine may connect over 127.0.0.1 as anyone: right for data of
    // development and tests, and for nothing else.
    const locale = process.platform === "linux" ? "C.UTF-8" : "C";
    const flags = ["-U", "postgres", "-A", "trust", "-E", "UTF8", `--locale=${locale}`];
    const done = await run([...argv, "-D", dataDir, ...flags, "--no-sync", "--no-instructions"]);
    if (done.code !== 0) throw new EngineError(`initdb failed: ${lastLine(done.output)}`);
  }

  /** By a single-user server, so that pg_cron's launcher finds its database from the start. */
  private async createDatabase(folder: string): Promise<void> {
    if (this.options.database === "postgres") return;
    const { argv, dataDir } = this.installation.command("postgres", folder);
    const done = await run([...argv, "--single", "-D", dataDir, "-c", "fsync=off", "postgres"], {
      input: `create database "${this.options.database}"\n`,
    });
    if (done.code !== 0 || /ERROR|FATAL/.test(done.output)) {
      throw new EngineError(`the database could not be made: ${lastLine(done.output)}`);
    }
  }

  private async launch(): Promise<void> {
    const wanted = this.options.port ?? (this.port === 0 ? null : this.port);
    for (let attempt = 1; ; attempt++) {
      this.port = wanted ?? (await freePort());
      const failure = await this.tryLaunch();
      if (failure === null) return;
      const taken = /could not bind|Address already in use/i.test(failure);
      // Children of a killed server hold its memory for a moment longer.
      const lingering = /shared memory block|is still in use/i.test(failure);
      if (attempt >= 30 || !(lingering || (taken && wanted === null))) {
        throw new EngineError(
          taken && !(await isFree(this.port))
            ? `port ${this.port} on 127.0.0.1 is already in use`
            : `the server did not start: ${failure}`,
          { final: taken },
        );
      }
      if (lingering) await sleep(100);
    }
  }

  /** Null when the server accepts connections, or else what its log says. */
  private async tryLaunch(): Promise<string | null> {
    await removeRecycledPid(this.dataDir);
    await this.configure();
    const { argv, dataDir } = this.installation.command("postgres", this.dataDir);
    const before = (await readFile(this.logFile).catch(() => Buffer.alloc(0))).length;
    const server = new SupervisedServer([...argv, "-D", dataDir], this.logFile, {
      signal: this.options.dataDir === null ? "QUIT" : "INT",
      remove: this.home,
    });
    const deadline = Date.now() + 60_000;
    while (server.isRunning && Date.now() < deadline) {
      // The last line of this file turns to "ready", which is also what pg_ctl waits for.
      const status = await readFile(join(this.dataDir, "postmaster.pid"), "utf8").catch(() => "");
      if (/^ready\s*$/m.test(status) && (await serverOf(this.dataDir)) !== null) {
        this.server = server;
        return null;
      }
      await sleep(5);
    }
    await server.stop("immediate");
    const log = (await readFile(this.logFile)).subarray(before).toString("utf8");
    const fatal = log.split("\n").filter((line) => /FATAL|ERROR|LOG: {2}could not/.test(line));
    return fatal.length > 0 ? fatal.join(" | ") : lastLine(log) || "it did not answer within 60 s";
  }

  /** Our settings are a file of their own, so that `alter system` still works and wins. */
  private async configure(): Promise<void> {
    const persistent = this.options.dataDir !== null;
    const { installation, options } = this;
    const settings = clusterSettings({ ...options, persistent, port: this.port, installation });
    if (installation.pgmq === "path") {
      const folder = persistent ? join(this.dataDir, "carillon-extensions") : this.home;
      await this.unpackPgmq(join(folder, "extension"));
      settings.extension_control_path = `${folder}:$system`;
    }
    await writeFile(
      join(this.dataDir, "carillon.conf"),
      toConf({ ...settings, ...options.settings }),
    );
    const main = join(this.dataDir, "postgresql.conf");
    const include = "include 'carillon.conf'";
    if (!(await readFile(main, "utf8")).includes(include)) await appendFile(main, `${include}\n`);
  }

  private async unpackPgmq(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o755 });
    for (const [name, content] of await pgmqFiles()) await writeFile(join(folder, name), content);
    const { owner } = this.installation;
    if (owner !== null) await run(["chown", "-R", `${owner.uid}:${owner.gid}`, folder]);
  }
}
