import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect, type TestSql } from "../helpers/database.js";

const SCRIPT = fileURLToPath(new URL("./mayhem-child.mjs", import.meta.url));

/** One attempt as its worker wrote it down; the end is the death of the worker where none was written. */
export interface Span {
  job: number;
  attempt: number;
  start: number;
  end: number;
}

/** Worker processes that can be killed, each of which leaves its notes behind. */
export class Herd {
  readonly #folder: string;
  readonly #options: object;
  readonly #spans: Span[] = [];
  readonly #living = new Map<string, ChildProcess>();
  #born = 0;
  /** What went wrong besides being killed. */
  readonly faults: string[] = [];

  constructor(folder: string, options: object) {
    this.#folder = folder;
    this.#options = options;
  }

  spawn(url: string): void {
    const file = join(this.#folder, `worker-${(this.#born += 1)}`);
    const child = spawn(process.execPath, [SCRIPT], {
      env: {
        ...process.env,
        DATABASE_URL: url,
        NOTES_FILE: file,
        WORKER_OPTIONS: JSON.stringify(this.#options),
      },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
    child.on("exit", (code) => {
      this.#living.delete(file);
      this.#read(file, Date.now());
      if (code !== null && code !== 0) this.faults.push(`exit ${code}: ${errors.slice(-500)}`);
    });
    this.#living.set(file, child);
  }

  /** Kills one of the living without a warning, and has another take its place. */
  kill(pick: number, url: string): void {
    const [...children] = this.#living.values();
    children[pick % children.length]?.kill("SIGKILL");
    this.spawn(url);
  }

  /** Ends all of them in order, and tells every attempt that ever started. */
  async end(): Promise<Span[]> {
    const ends = [...this.#living.values()].map(
      (child) => new Promise((resolve) => child.once("exit", resolve)),
    );
    for (const child of this.#living.values()) child.kill("SIGTERM");
    await Promise.all(ends);
    return this.#spans;
  }

  #read(file: string, died: number): void {
    let text = "";
    try {
      text = readFileSync(file, "utf8");
    } catch {
      return; // Killed before its first line.
    }
    const open = new Map<string, Span>();
    for (const line of text.split("\n")) {
      if (!line.endsWith("}")) continue; // Killed while it wrote.
      const { what, job, attempt, at } = JSON.parse(line) as {
        what: "start" | "end";
        job: number;
        attempt: number;
        at: number;
      };
      const key = `${job}/${attempt}`;
      if (what === "end") {
        const span = open.get(key);
        if (span) span.end = at;
      } else {
        const span = { job, attempt, start: at, end: died };
        open.set(key, span);
        this.#spans.push(span);
      }
    }
  }
}

/** Runs one statement on a connection of its own, again and again until the server answers it. */
export async function insist<T>(url: string, run: (sql: TestSql) => Promise<T>): Promise<T> {
  for (let left = 400; ; left -= 1) {
    // The question for types that comes first would be refused by a server that is down unheard.
    const sql = connect(url, 1, { fetch_types: false });
    try {
      return await run(sql);
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      await sql.end({ timeout: 1 }).catch(() => undefined);
    }
  }
}

/** A small repeatable source of chance (mulberry32). */
export function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
