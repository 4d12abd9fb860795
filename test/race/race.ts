import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { connect, type TestSql } from "../helpers/database.js";

const RACER = fileURLToPath(new URL("racer.mjs", import.meta.url));
const PROCESSES = 5;
const CONNECTIONS = 10;
const GATE = 4_711_001;

/** What a statement gave: its first value, or its error. */
export type Result = { value: unknown; code?: undefined } | { code: string; message: string };

/**
 * Fifty connections in five processes, which start together: each waits for a lock that the
 * referee holds, and the race begins when all of them are seen to wait.
 */
export class Race implements AsyncDisposable {
  static readonly lanes = PROCESSES * CONNECTIONS;
  readonly #children: ChildProcess[];
  readonly #referee: TestSql;

  private constructor(children: ChildProcess[], referee: TestSql) {
    this.#children = children;
    this.#referee = referee;
  }

  static async open(url: string): Promise<Race> {
    const children = Array.from({ length: PROCESSES }, () =>
      fork(RACER, [url, String(CONNECTIONS)], { stdio: ["ignore", "inherit", "inherit", "ipc"] }),
    );
    await Promise.all(children.map((child) => once(child, "message")));
    return new Race(children, connect(url, 1));
  }

  /** Runs one list of statements per lane, given by the lane's number; all results, by lane. */
  async run(statements: (lane: number) => string[]): Promise<Result[][]> {
    const sql = this.#referee;
    await sql`select pg_advisory_lock(${GATE})`;
    const results = this.#children.map(async (child, at) => {
      const lanes = Array.from({ length: CONNECTIONS }, (_, i) => statements(at * CONNECTIONS + i));
      child.send({ gate: GATE, lanes });
      const [answer] = (await once(child, "message")) as [Result[][]];
      return answer;
    });
    for (;;) {
      const [row] = await sql<{ n: number }[]>`
        select count(*) as n from pg_locks where locktype = 'advisory' and objid = ${GATE} and not granted`;
      if (row?.n === Race.lanes) break;
    }
    await sql`select pg_advisory_unlock(${GATE})`;
    return (await Promise.all(results)).flat();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = this.#children.map((child) => once(child, "exit"));
    for (const child of this.#children) child.disconnect();
    await Promise.all(gone);
    await this.#referee.end({ timeout: 5 });
  }
}

/** The errors among the results, counted by code and message. */
export function errorsOf(results: readonly Result[][]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const result of results.flat()) {
    if (result.code === undefined) continue;
    const key = `${result.code} ${result.message}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}
