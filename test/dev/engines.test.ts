import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import postgres from "postgres";
import { afterEach, beforeEach, describe, expect, inject, test, vi } from "vitest";

import { type EngineName, startEngine } from "../../src/dev/engines/index.js";

const run = inject("server");
const isRoot = process.getuid?.() === 0;
/** The kind of engine under test: the run's own, if it can be started here. */
const engine: EngineName = run.engine === "url" ? "embedded" : run.engine;

beforeEach(() => {
  vi.stubEnv("DATABASE_URL", undefined);
  vi.stubEnv("CARILLON_ENGINE", undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

async function query<T>(url: string, text: string): Promise<T[]> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    return [...(await sql.unsafe<(T & postgres.Row)[]>(text))];
  } finally {
    await sql.end();
  }
}

/** Every process whose working folder is the data folder or was, until it was deleted. */
async function serversOn(dataDir: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => "");
    if (cwd.startsWith(dataDir)) found.push(pid);
  }
  return found;
}

/** The supervisors and wrappers that name the folder on their command line. */
async function mentioning(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (line.includes(folder)) found.push(`${pid}: ${line.replaceAll("\0", " ").slice(-200)}`);
  }
  return found;
}

async function postmasterPid(dataDir: string): Promise<number> {
  return Number.parseInt(await readFile(join(dataDir, "postmaster.pid"), "utf8"), 10);
}

async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "carillon-test-"));
  // The server's user has to get through to the folder inside.
  await chmod(path, 0o755);
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

describe("choosing", () => {
  test("auto takes the first that works and says which and why", async () => {
    const lines: string[] = [];
    await using chosen = await startEngine({ engine: "auto", log: (line) => lines.push(line) });
    expect(lines.at(-1)).toBe(`${chosen.description} (${chosen.why})`);
    expect(chosen.description).toMatch(/PostgreSQL \d+ .*pg_cron/);
    if (isRoot && run.engine === "pg17") expect(chosen.name).toBe("pg17");
    const [row] = await query<{ database: string; super: string }>(
      chosen.databaseUrl,
      "select current_database() as database, current_setting('is_superuser') as super",
    );
    expect(row).toEqual({ database: "carillon", super: "on" });
  });

  test("CARILLON_ENGINE overrides auto, and an unknown name lists the known ones", async () => {
    vi.stubEnv("CARILLON_ENGINE", "postgres99");
    await expect(startEngine()).rejects.toThrow(
      'there is no engine "postgres99"; choose one of auto, url, pg17, pg15, installed, embedded',
    );
  });

  test("a server at DATABASE_URL is used, and never stopped", async () => {
    vi.stubEnv("DATABASE_URL", run.url);
    const used = await startEngine({ engine: "auto" });
    expect(used).toMatchObject({ name: "url", databaseUrl: run.url, why: "DATABASE_URL is set" });
    await expect(used.stop()).rejects.toThrow("not ours to stop");
    await used.close();
    expect(await query(run.url, "select 1 as alive")).toEqual([{ alive: 1 }]);
  });

  test("a DATABASE_URL that nobody answers is an error, not a reason to take another", async () => {
    vi.stubEnv("DATABASE_URL", "postgres://postgres@127.0.0.1:1/none");
    await expect(startEngine({ engine: "auto" })).rejects.toThrow(
      /url: the server at DATABASE_URL cannot be used: .*ECONNREFUSED/,
    );
  });

  test.each([
    [{ database: "No Such" }, '"No Such" is no database name'],
    [{ port: 70_000 }, "70000 is no port"],
  ])("bad options are refused: %j", async (options, message) => {
    await expect(startEngine({ engine, ...options })).rejects.toThrow(message);
  });
});

describe("a throw-away cluster", () => {
  test("two start at the same time, each a cluster of its own, with pgmq and pg_cron", async () => {
    const started = await Promise.all([
      startEngine({ engine, settings: { work_mem: "7MB" } }),
      startEngine({ engine, database: "other", maxConnections: 17 }),
    ]);
    await using one = started[0];
    await using two = started[1];
    const look = (url: string) =>
      query<{ id: string; connections: string; memory: string; cron: string | null }>(
        url,
        `select system_identifier::text as id, current_setting('max_connections') as connections,
                current_setting('work_mem') as memory,
                current_setting('cron.database_name', true) as cron
           from pg_control_system()`,
      );
    const [[a], [b]] = await Promise.all([look(one.databaseUrl), look(two.databaseUrl)]);
    expect(a?.id).not.toBe(b?.id);
    expect(a).toMatchObject({ connections: "300", memory: "7MB" });
    expect(b).toMatchObject({ connections: "17", memory: "4MB" });
    if (one.pgCron !== null) {
      expect([a?.cron, b?.cron]).toEqual(["carillon", "other"]);
      await query(two.databaseUrl, "create extension pg_cron");
      const [made] = await query<{ version: string }>(
        two.databaseUrl,
        "select extversion as version from pg_extension where extname = 'pg_cron'",
      );
      expect(made?.version).toBe(two.pgCron);
    }
    if (one.name !== "installed") {
      await query(one.databaseUrl, "create extension pgmq");
      const sent = await query(
        one.databaseUrl,
        "select pgmq.create('q'); select pgmq.send('q', '{}')",
      );
      expect(sent).toHaveLength(2);
    }
  });

  test("a port that is taken is refused when asked for", async () => {
    const squatter = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => squatter.once("listening", resolve));
    const { port } = squatter.address() as { port: number };
    await expect(startEngine({ engine, port })).rejects.toThrow(
      `port ${port} on 127.0.0.1 is already in use`,
    );
    squatter.close();
  });

  test("keeps its data and its port through stop, crash and kill; close leaves nothing", async () => {
    const cluster = await startEngine({ engine });
    const { databaseUrl, dataDir } = cluster;
    if (dataDir === null) throw new Error("an engine of our own has a data folder");
    const count = async () => (await query(databaseUrl, "select * from kept")).length;
    await query(databaseUrl, "create table kept (n int); insert into kept values (1)");

    await cluster.stop();
    await expect(count()).rejects.toThrow("ECONNREFUSED");
    await cluster.start();
    expect(await count()).toBe(1);

    await query(databaseUrl, "insert into kept values (2)");
    await cluster.stop("immediate");
    expect(await serversOn(dataDir)).toEqual([]);
    await cluster.start();
    expect(await count()).toBe(2);

    await query(databaseUrl, "insert into kept values (3)");
    process.kill(await postmasterPid(dataDir), "SIGKILL");
    await vi.waitFor(() => expect(count()).rejects.toThrow(), { timeout: 5_000 });
    await cluster.start();
    expect(await count()).toBe(3);

    await cluster.close();
    await cluster.close();
    expect(existsSync(dirname(dataDir))).toBe(false);
    expect(await serversOn(dataDir)).toEqual([]);
    expect(await mentioning(dirname(dataDir))).toEqual([]);
    await expect(cluster.start()).rejects.toThrow("the engine is closed");
  });
});

describe("when its process is killed", () => {
  const child = fileURLToPath(new URL("engine-child.mjs", import.meta.url));

  async function startInChild() {
    const started = spawn(process.execPath, [child, engine], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    for await (const line of createInterface({ input: started.stdout })) {
      return { started, ...(JSON.parse(line) as { url: string; dataDir: string }) };
    }
    throw new Error("the child ended without starting an engine");
  }

  test("server, supervisor and data are gone soon after", async () => {
    const { started, url, dataDir } = await startInChild();
    expect(await query(url, "select 1 as alive")).toEqual([{ alive: 1 }]);
    started.kill("SIGKILL");
    await vi.waitFor(
      async () => {
        expect(existsSync(dirname(dataDir))).toBe(false);
        expect(await mentioning(dirname(dataDir))).toEqual([]);
      },
      { timeout: 10_000, interval: 50 },
    );
  });

  test("the next start removes what even the supervisor could not", async () => {
    const { started, dataDir } = await startInChild();
    const supervisors = await mentioning(`carillon-postgres\0QUIT\0${dirname(dataDir)}`);
    expect(supervisors.length).toBeGreaterThan(0);
    for (const line of supervisors) process.kill(Number.parseInt(line, 10), "SIGKILL");
    started.kill("SIGKILL");
    await new Promise((resolve) => started.once("exit", resolve));
    // The orphan lives on, unless another test file has just started an engine, which removes it too.
    await using next = await startEngine({ engine });
    expect(next.dataDir).not.toBe(dataDir);
    expect(existsSync(dirname(dataDir))).toBe(false);
    expect(await serversOn(dataDir)).toEqual([]);
  });
});

describe("a data folder that stays", () => {
  test("keeps its data between engines, whatever pid file a killed run left", async () => {
    await using folder = await temporaryFolder();
    const dataDir = join(folder.path, "nested", "pg");
    await mkdir(dirname(dataDir));
    {
      await using first = await startEngine({ engine, dataDir });
      await query(first.databaseUrl, "create table kept as select 1 as n");
      await expect(startEngine({ engine, dataDir })).rejects.toThrow(
        `the data folder ${dataDir} is in use by process ${process.pid}`,
      );
    }
    expect(await serversOn(dataDir)).toEqual([]);
    // Ours is a living process, and no server: as if the number had been given out again.
    await writeFile(join(dataDir, "postmaster.pid"), `${process.pid}\n${dataDir}\n1\n5432\n`);
    await using second = await startEngine({ engine, dataDir });
    expect(await query(second.databaseUrl, "select n from kept")).toEqual([{ n: 1 }]);
    const [row] = await query(second.databaseUrl, "select current_setting('fsync') as fsync");
    expect(row).toEqual({ fsync: "on" });
  });

  test("a half-made one is made again", async () => {
    await using folder = await temporaryFolder();
    const dataDir = join(folder.path, "pg");
    const staging = `${dataDir}.initialising`;
    await mkdir(join(staging, "data"), { recursive: true });
    await writeFile(join(staging, "data", "PG_VERSION"), "17\n");
    await using made = await startEngine({ engine, dataDir });
    expect(existsSync(staging)).toBe(false);
    expect(await query(made.databaseUrl, "select 1 as alive")).toEqual([{ alive: 1 }]);
  });

  test.each([
    ["PG_VERSION", "9\n", "was made by PostgreSQL 9 and cannot be used by"],
    ["thesis.txt", "…", "is neither empty nor a PostgreSQL data folder"],
  ])("one with a foreign %s is refused and left as it is", async (name, text, message) => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, name), text);
    await expect(startEngine({ engine, dataDir: folder.path })).rejects.toThrow(message);
    expect(await readdir(folder.path)).toEqual([name]);
  });
});
