import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { asOwner, hostOwner, hostScratch } from "./host.js";
import { run } from "./processes.js";
import { pgCronVersion } from "./rootfs.js";
import { EngineError, type Installation } from "./types.js";

interface Found {
  bin: string;
  major: number;
  pgCron: string;
}

/** A PostgreSQL 15 or newer of this machine that has pg_cron's files, the newest first. */
export async function installedInstallation(): Promise<Installation> {
  const found: Found[] = [];
  const lacking = new Set<string>();
  for (const pgConfig of await pgConfigs()) {
    const server = await inspect(pgConfig);
    if (typeof server === "string") lacking.add(server);
    else found.push(server);
  }
  const [best] = found.sort((a, b) => b.major - a.major);
  if (best === undefined) {
    throw new EngineError(
      lacking.size === 0
        ? "no PostgreSQL server is installed"
        : `no installed PostgreSQL has pg_cron (${[...lacking].join("; ")})`,
    );
  }
  const owner = await hostOwner();
  return {
    name: "installed",
    description: `the installed PostgreSQL ${best.major} with pg_cron ${best.pgCron}`,
    why: `${best.bin} is on this machine and has pg_cron`,
    major: best.major,
    pgCron: best.pgCron,
    scratch: await hostScratch(),
    owner,
    // Nothing is ever put into the system's own folders.
    pgmq: best.major >= 18 ? "path" : "sql",
    settings: {},
    command: (program, dataDir) => ({
      argv: [...asOwner(owner), join(best.bin, program)],
      dataDir,
    }),
  };
}

async function pgConfigs(): Promise<string[]> {
  const folders = ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt", "/usr"];
  const bins: string[] = [];
  for (const folder of folders) {
    const names = await readdir(folder).catch(() => []);
    for (const name of names) {
      if (/^(\d+|postgresql@\d+|pgsql-\d+)$/.test(name)) bins.push(join(folder, name, "bin"));
    }
  }
  const onPath = (process.env.PATH ?? "").split(":").filter((folder) => folder.startsWith("/"));
  return [...new Set([...bins, ...onPath].map((bin) => join(bin, "pg_config")))].filter((file) =>
    existsSync(file),
  );
}

/** The server that a pg_config belongs to, or in a few words what it lacks. */
async function inspect(pgConfig: string): Promise<Found | string> {
  const { code, output } = await run([pgConfig]);
  const value = (name: string) => new RegExp(`^${name} = (.*)$`, "m").exec(output)?.[1] ?? "";
  const major = Number.parseInt(/(\d+)/.exec(value("VERSION"))?.[1] ?? "", 10);
  const bin = value("BINDIR");
  if (code !== 0 || Number.isNaN(major)) return `${pgConfig} does not answer`;
  if (!existsSync(join(bin, "postgres")) || !existsSync(join(bin, "initdb"))) {
    return `${bin} has no server`;
  }
  if (major < 15) return `${major} is older than 15`;
  const pgCron = await pgCronVersion(join(value("SHAREDIR"), "extension"));
  const library = ["so", "dylib"].some((suffix) =>
    existsSync(join(value("PKGLIBDIR"), `pg_cron.${suffix}`)),
  );
  if (pgCron === null || !library) return `${major} in ${bin} has none`;
  return { bin, major, pgCron };
}
