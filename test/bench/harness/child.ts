import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import type { CommandName, Commands, Progress } from "./program.js";

interface Answer {
  id?: number;
  result?: unknown;
  error?: string;
  progress?: Progress;
}

interface Waiting {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

const REGISTER = fileURLToPath(new URL("./register.mjs", import.meta.url));

/** A contestant's process. */
export class Child implements AsyncDisposable {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #exited: Promise<unknown>;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  progress: Progress = { handled: 0, lastAt: 0 };
  onProgress: () => void = () => undefined;

  constructor(program: URL, node = process.execPath) {
    const profile = process.env.BENCH_CPU_PROF === "1" ? ["--cpu-prof"] : [];
    this.#process = spawn(node, [...profile, "--import", REGISTER, fileURLToPath(program)], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#exited = once(this.#process, "exit");
    this.#process.stderr.pipe(process.stderr);
    createInterface({ input: this.#process.stdout }).on("line", (line) => this.#receive(line));
    this.#process.on("exit", (code, signal) => {
      const error = new Error(`${program.pathname} ended with ${code ?? signal ?? "nothing"}`);
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
  }

  async call<Name extends CommandName>(name: Name, args: Commands[Name]): Promise<unknown> {
    const id = (this.#last += 1);
    if (name === "work") this.progress = { handled: 0, lastAt: 0 };
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#process.stdin.write(`${JSON.stringify({ id, name, args })}\n`);
    });
  }

  #receive(line: string): void {
    const answer = JSON.parse(line) as Answer;
    if (answer.progress) {
      this.progress = answer.progress;
      this.onProgress();
    }
    const waiting = this.#waiting.get(answer.id ?? 0);
    if (answer.id === undefined || waiting === undefined) return;
    this.#waiting.delete(answer.id);
    if (answer.error === undefined) waiting.resolve(answer.result);
    else waiting.reject(new Error(answer.error));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.stdin.end();
    const late = setTimeout(() => this.#process.kill("SIGKILL"), 5000);
    await this.#exited;
    clearTimeout(late);
  }
}

/** Waits until these processes have handled so many jobs; false when they had not in time. */
export function handled(
  children: readonly Child[],
  count: number,
  timeoutMs: number,
): Promise<boolean> {
  const reached = () => children.reduce((sum, child) => sum + child.progress.handled, 0) >= count;
  return new Promise((resolve) => {
    const settle = (result: boolean) => {
      clearTimeout(late);
      for (const child of children) child.onProgress = () => undefined;
      resolve(result);
    };
    const late = setTimeout(() => settle(reached()), timeoutMs);
    const look = () => {
      if (reached()) settle(true);
    };
    for (const child of children) child.onProgress = look;
    look();
  });
}
