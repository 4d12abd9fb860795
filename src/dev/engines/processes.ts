import { execFile, spawn } from "node:child_process";
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

/** What a finished command printed, both streams together. */
export interface Finished {
  code: number | null;
  output: string;
}

/** Runs a command to its end. Never rejects: a command that cannot be found gives code null. */
export function run(argv: readonly string[], options: { input?: string } = {}): Promise<Finished> {
  const [command = "", ...args] = argv;
  return new Promise((resolve) => {
    let output = "";
    const child = spawn(command, args, { stdio: "pipe", cwd: "/", env: cleanEnvironment() });
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
    child.on("error", (error) => resolve({ code: null, output: output + error.message }));
    child.on("close", (code) => resolve({ code, output }));
  });
}

/** Our environment without what would steer PostgreSQL or translate its messages. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (!/^(PG|LC_|LANG|TZ$)/.test(name)) env[name] = value;
  }
  // root's PATH may lack the folders of chroot and setpriv (`su` without `-`).
  return { ...env, LC_ALL: "C", PATH: `${env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin` };
}

/** The last line a command printed, for a one-line reason. */
export function lastLine(output: string): string {
  return output.trim().split("\n").at(-1)?.trim() ?? "";
}

const OWNER_FILE = "carillon-owner.json";

interface Owner {
  host: string;
  pid: number;
  /** Tells the process from a later one with the same pid. */
  started: string;
}

/** Notes in a folder that this process uses it. */
export async function claim(dir: string): Promise<void> {
  const owner: Owner = {
    host: hostname(),
    pid: process.pid,
    started: (await startOf(process.pid)) ?? "",
  };
  await writeFile(join(dir, OWNER_FILE), JSON.stringify(owner));
}

/**
 * Who uses the folder: `nobody` when the process that claimed it is gone, `unknown` when it was
 * claimed on another host (a shared home) or not at all, or else the process.
 */
export async function claimant(dir: string): Promise<Owner | "nobody" | "unknown"> {
  try {
    const owner = JSON.parse(await readFile(join(dir, OWNER_FILE), "utf8")) as Owner;
    if (owner.host !== hostname()) return "unknown";
    return (await startOf(owner.pid)) === owner.started ? owner : "nobody";
  } catch {
    return "unknown";
  }
}

/** Something that no two processes with the same pid share; null when the process is gone. */
async function startOf(pid: number): Promise<string | null> {
  if (process.platform === "linux") {
    try {
      const fields = await readFile(`/proc/${pid}/stat`, "utf8");
      // Field 22, counted after the name, which may hold blanks and brackets itself.
      const [state, ...rest] = fields.slice(fields.lastIndexOf(")") + 2).split(" ");
      return state === "Z" || state === "X" ? null : (rest[18] ?? null);
    } catch {
      return null;
    }
  }
  try {
    const { stdout } = await promisify(execFile)("ps", ["-o", "lstart=", "-p", String(pid)]);
    return stdout.trim() === "" ? null : stdout.trim();
  } catch {
    return null;
  }
}

/** The pid of the server that runs on the data folder right now, or null. */
export async function serverOf(dataDir: string): Promise<number | null> {
  const file = await readFile(join(dataDir, "postmaster.pid"), "utf8").catch(() => "");
  const pid = Number.parseInt(file, 10);
  if (!(pid > 1) || (await startOf(pid)) === null) return null;
  if (process.platform === "linux") {
    // A server's working folder is its data folder. Comparing inodes sees through chroots and
    // private mounts, and never takes a recycled pid for the server.
    const [its, ours] = await Promise.all([
      stat(`/proc/${pid}/cwd`).catch(() => null),
      stat(dataDir).catch(() => null),
    ]);
    return its !== null && its.dev === ours?.dev && its.ino === ours.ino ? pid : null;
  }
  const { output } = await run(["ps", "-o", "command=", "-p", String(pid)]);
  return output.includes(dataDir) ? pid : null;
}

/** Removes a pid file whose number meanwhile belongs to another process, which would bar a start. */
export async function removeRecycledPid(dataDir: string): Promise<void> {
  const file = join(dataDir, "postmaster.pid");
  const pid = Number.parseInt(await readFile(file, "utf8").catch(() => ""), 10);
  // With a dead process the file stays: the server reads in it whether memory is still in use.
  if (!(pid > 1) || (await startOf(pid)) === null || (await serverOf(dataDir)) !== null) return;
  await rm(file, { force: true });
}

/** Stops the server of a data folder whose owner is gone, and waits until it has ended. */
export async function stopOrphan(
  dataDir: string,
  signal: "SIGINT" | "SIGQUIT",
  patienceMs = 15_000,
): Promise<void> {
  const deadline = Date.now() + patienceMs;
  for (let sent = false; ;) {
    const pid = await serverOf(dataDir);
    if (pid === null) return;
    if (!sent) process.kill(pid, signal);
    sent = true;
    if (Date.now() > deadline) throw new Error(`process ${pid} on ${dataDir} does not stop`);
    await sleep(20);
  }
}
