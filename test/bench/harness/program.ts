import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

import {
  type Contestant,
  epochMs,
  type Handler,
  monotonicMs,
  payload,
  times,
  type WorkOptions,
} from "./contestant.js";

const PROGRESS_MS = 5;

/** What the parent may ask for; each answers with one line. */
export interface Commands {
  open: { url: string };
  enqueue: { count: number };
  send: { count: number; everyMs: number };
  work: WorkOptions;
  rest: object;
  schedule: { count: number; expression: string; atOnce: number };
  latencies: object;
}

export type CommandName = keyof Commands;

type Command = { [Name in CommandName]: { id: number; name: Name; args: Commands[Name] } };

/** Handled so far, and when the latest was; both since `work`. */
export interface Progress {
  handled: number;
  lastAt: number;
}

const print = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** Runs a contestant as a child process: commands on stdin and everything on stdout are JSON lines. */
export function runProgram(contestant: Contestant): void {
  const host = new Host(contestant);
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    const command = JSON.parse(line) as Command[CommandName];
    host.execute(command).then(
      (result) => print({ id: command.id, result: result ?? null }),
      (error: unknown) => print({ id: command.id, error: String(error) }),
    );
  });
  lines.on("close", () => void contestant.close().finally(() => process.exit()));
}

class Host {
  readonly #contestant: Contestant;
  #progress: Progress = { handled: 0, lastAt: 0 };
  #latencies: number[] = [];
  #reporter: NodeJS.Timeout | undefined;

  constructor(contestant: Contestant) {
    this.#contestant = contestant;
  }

  async execute({ name, args }: Command[CommandName]): Promise<unknown> {
    const contestant = this.#contestant;
    switch (name) {
      case "open":
        return contestant.open(args.url);
      case "enqueue":
        return timed(() => contestant.enqueue(args.count));
      case "send":
        return this.#send(args);
      case "work":
        return this.#work(args);
      case "rest":
        clearInterval(this.#reporter);
        return contestant.rest();
      case "schedule":
        if (contestant.schedule === undefined) throw new Error("this system has no schedules");
        return timed(() => contestant.schedule?.(args.count, args.expression, args.atOnce));
      case "latencies":
        return this.#latencies.splice(0);
    }
  }

  /** One job after the other, at even distances. */
  async #send({ count, everyMs }: Commands["send"]): Promise<void> {
    const start = performance.now();
    await times(count, 1, async (n) => {
      await sleep(Math.max(0, start + n * everyMs - performance.now()));
      await this.#contestant.send({ ...payload(n), sentAt: monotonicMs() });
    });
  }

  async #work(options: WorkOptions): Promise<void> {
    this.#progress = { handled: 0, lastAt: 0 };
    let reported = 0;
    this.#reporter = setInterval(() => {
      if (this.#progress.handled === reported) return;
      reported = this.#progress.handled;
      print({ progress: this.#progress });
    }, PROGRESS_MS);
    await this.#contestant.work(this.#handler(options), options);
  }

  #handler({ sleepMs = 0, failHalf = false }: WorkOptions): Handler {
    const done = (job: { n: number }) => {
      this.#progress.handled += 1;
      this.#progress.lastAt = epochMs();
      if (failHalf && job.n % 2 === 1) throw new Error("as planned");
    };
    if (sleepMs > 0) {
      return async (job) => {
        await sleep(sleepMs);
        done(job);
      };
    }
    return (job) => {
      if (job.sentAt !== undefined) this.#latencies.push(monotonicMs() - job.sentAt);
      done(job);
    };
  }
}

async function timed(action: () => Promise<void> | undefined): Promise<number> {
  const start = performance.now();
  await action();
  return (performance.now() - start) / 1000;
}
