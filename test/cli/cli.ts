import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const CLI = fileURLToPath(new URL("../../dist/cli/index.js", import.meta.url));

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  env?: Record<string, string>;
  cwd?: string;
  input?: string;
}

/** A folder of its own. */
export class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "carillon-cli-"));

  file(name: string): string {
    return join(this.path, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Runs the command line in a process of its own, with nothing of this one's settings. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { env = {}, cwd = tmpdir(), input = "" } = options;
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd,
    env: { PATH: process.env.PATH ?? "", HOME: "/nonexistent", ...env },
    stdio: "pipe",
  });
  const ended: Ended = { code: null, stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (ended.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (ended.stderr += text));
  child.stdin.on("error", () => undefined).end(input);
  ended.code = await new Promise((resolve) => child.on("close", resolve));
  return ended;
}

/** Runs it over an API, with --json, and gives what it printed. */
export async function json<T>(args: readonly string[], options: RunOptions): Promise<T> {
  const { code, stdout, stderr } = await run([...args, "--json"], options);
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
  return JSON.parse(stdout) as T;
}
