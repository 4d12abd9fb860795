import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

import { claim, claimant, run, serverOf, stopOrphan } from "./processes.js";
import { EngineError, type Installation } from "./types.js";

const HOUR_MS = 3_600_000;

/** Left by {@link Cluster.leave}: the cluster is to be looked at, so keep it for a while. */
export const KEPT_FILE = "kept";

/**
 * Removes throw-away clusters whose process is gone, servers included. Supervisors do this
 * themselves; what is found here lost its supervisor too, or was killed before it had one.
 */
export async function sweep(scratch: string): Promise<void> {
  for (const name of await readdir(scratch).catch(() => [])) {
    const home = join(scratch, name);
    if (!(await isAbandoned(home))) continue;
    try {
      await stopOrphan(join(home, "data"), "SIGQUIT");
      await rm(home, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
    } catch {
      // Another process sweeps at the same time, or the folder is not ours: it bars nobody's way.
    }
  }
}

async function isAbandoned(home: string): Promise<boolean> {
  const age = Date.now() - ((await stat(home).catch(() => null))?.mtimeMs ?? Date.now());
  if (await stat(join(home, KEPT_FILE)).catch(() => null)) return age > 12 * HOUR_MS;
  const user = await claimant(home);
  if (user === "nobody") return true;
  // Not claimed yet, or claimed by a container that shares this cache.
  return user === "unknown" && age > 24 * HOUR_MS;
}

/**
 * Makes sure that a persistent data folder can be used, whatever an earlier run left in it.
 * True when it holds data, false when it has to be made.
 */
export async function prepareDataDir(
  dataDir: string,
  installation: Installation,
): Promise<boolean> {
  const names = await readdir(dataDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw new EngineError(`the data folder ${dataDir} cannot be read: ${error.message}`, {
      final: true,
      cause: error,
    });
  });
  if (names.length === 0) return false;
  const version = (await readFile(join(dataDir, "PG_VERSION"), "utf8").catch(() => "")).trim();
  if (version === "") {
    throw new EngineError(
      `${dataDir} is neither empty nor a PostgreSQL data folder; choose another folder`,
      { final: true },
    );
  }
  if (version !== String(installation.major)) {
    throw new EngineError(
      `the data folder ${dataDir} was made by PostgreSQL ${version} and cannot be used by ` +
        `${installation.major}; remove the folder to start afresh, or choose another`,
    );
  }
  await evict(dataDir);
  await own(dataDir, installation);
  return true;
}

/** Refuses a folder that a living process uses; stops the server that a dead one left. */
async function evict(dataDir: string): Promise<void> {
  if ((await serverOf(dataDir)) === null) return;
  const user = await claimant(dataDir);
  if (user !== "nobody") {
    const by = user === "unknown" ? "another server" : `process ${user.pid}`;
    throw new EngineError(`the data folder ${dataDir} is in use by ${by}`, { final: true });
  }
  await stopOrphan(dataDir, "SIGINT");
}

async function own(dataDir: string, { owner }: Installation): Promise<void> {
  if (owner === null || (await stat(dataDir)).uid === owner.uid) return;
  await run(["chown", "-R", `${owner.uid}:${owner.gid}`, dataDir]);
}

/** A folder beside `dataDir` to make it in; claimed, so that two runs do not make it at once. */
export async function stagingFor(dataDir: string): Promise<string> {
  const staging = `${dataDir}.initialising`;
  await mkdir(dirname(staging), { recursive: true });
  for (;;) {
    try {
      await mkdir(staging, { mode: 0o755 });
      await claim(staging);
      return staging;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const user = await claimant(staging);
    if (typeof user === "object" && user.pid !== process.pid) {
      throw new EngineError(`process ${user.pid} is making the data folder ${dataDir} right now`, {
        final: true,
      });
    }
    await rm(staging, { recursive: true, force: true });
  }
}
