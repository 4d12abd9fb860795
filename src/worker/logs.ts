import type { Sql } from "../db/connect.js";
import { appendLogs, type LogChunk } from "../db/logs.js";
import type { Logger } from "../log.js";
import type { Attempt } from "./attempt.js";
import { AttemptLog, type LogSink } from "./job-log.js";
import { backoff, isTransient, pause } from "./retry.js";

/** Lines and bytes of one statement, and how long fewer of them wait for company. */
const BATCH_LINES = 1000;
const BATCH_BYTES = 1_048_576;
const FLUSH_MS = 200;
/** Bytes that all attempts of a worker may have waiting; beyond it lines are dropped and counted. */
export const MAX_PENDING_BYTES = 128 * 1024 * 1024;

interface Part {
  readonly log: AttemptLog;
  readonly chunk: LogChunk;
}

export interface LogBookDeps {
  sql: Sql;
  log: Logger;
  /** Aborted when a stopping worker may wait for the database no longer. */
  giveUp: AbortSignal;
}

/**
 * Takes the lines of all attempts to the database, in batches and one statement at a time, so that
 * every log is stored in order. An attempt that logs nothing costs nothing.
 */
export class LogBook implements LogSink {
  readonly #deps: LogBookDeps;
  readonly #logs = new WeakMap<Attempt, AttemptLog>();
  /** Logs with lines waiting: those somebody waits for, and the others. */
  readonly #urgent = new Set<AttemptLog>();
  readonly #dirty = new Set<AttemptLog>();
  #bytes = 0;
  #lines = 0;
  #sending = false;
  #timer: NodeJS.Timeout | undefined;
  #kicked = false;

  constructor(deps: LogBookDeps) {
    this.#deps = deps;
  }

  /** The log of an attempt. */
  of(attempt: Attempt): AttemptLog {
    const known = this.#logs.get(attempt);
    if (known !== undefined) return known;
    const log = new AttemptLog(attempt, this);
    this.#logs.set(attempt, log);
    return log;
  }

  /** Resolves when the log of an ended attempt is whole; undefined where nothing is left to store. */
  settle(attempt: Attempt): Promise<void> | undefined {
    return this.#logs.get(attempt)?.settle();
  }

  /** Waits until everything so far is stored, or has been given up. */
  async flush(): Promise<void> {
    await Promise.all([...this.#urgent, ...this.#dirty].map((log) => log.flush()));
  }

  hasRoom(bytes: number): boolean {
    return this.#bytes + bytes <= MAX_PENDING_BYTES;
  }

  held(bytes: number): void {
    this.#bytes += bytes;
  }

  waiting(log: AttemptLog, now: boolean): void {
    if (now) {
      this.#dirty.delete(log);
      this.#urgent.add(log);
    } else {
      this.#lines += 1;
      if (!this.#urgent.has(log)) this.#dirty.add(log);
    }
    if (this.#isDue()) this.#kick();
    else this.#timer ??= setTimeout(() => this.#kick(), FLUSH_MS);
  }

  #isDue(): boolean {
    return this.#urgent.size > 0 || this.#lines >= BATCH_LINES || this.#bytes >= BATCH_BYTES;
  }

  #kick(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#kicked || this.#sending) return;
    this.#kicked = true;
    // After the microtasks: the lines of this burst go together.
    process.nextTick(() => {
      this.#kicked = false;
      void this.#run();
    });
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    do await this.#send(this.#take());
    while (this.#isDue());
    this.#sending = false;
    if (this.#dirty.size > 0) this.#timer ??= setTimeout(() => this.#kick(), FLUSH_MS);
  }

  /** The next batch: logs that are waited for first, and none that keeps the others out. */
  #take(): Part[] {
    const parts: Part[] = [];
    const logs = [...this.#urgent, ...this.#dirty];
    let lines = BATCH_LINES;
    let bytes = BATCH_BYTES;
    const share = Math.ceil(BATCH_LINES / Math.max(1, logs.length));
    for (const log of logs) {
      if (lines <= 0 || bytes <= 0) break;
      const taken = log.take(Math.min(lines, Math.max(share, 50)), bytes);
      lines -= taken.length;
      for (const line of taken) bytes -= line.bytes;
      const { jobId, attempt } = log.attempt.job;
      const chunk = { jobId, attempt, seq: log.nextSeq, lines: taken.map(({ text }) => text) };
      parts.push({ log, chunk });
    }
    // In order of id, as finished jobs are, so that the two do not deadlock.
    return parts.sort((a, b) => a.chunk.jobId - b.chunk.jobId);
  }

  async #send(parts: readonly Part[], again = false): Promise<void> {
    if (parts.length === 0) return;
    try {
      const taken = await this.#persist(
        parts.map(({ chunk }) => chunk),
        again,
      );
      const next = new Map(
        taken.map(({ jobId, attempt, nextSeq }) => [`${jobId}.${attempt}`, nextSeq]),
      );
      for (const { log, chunk } of parts) {
        this.#settle(log, next.get(`${chunk.jobId}.${chunk.attempt}`));
      }
    } catch (error) {
      await this.#isolate(parts, error);
    }
  }

  #settle(log: AttemptLog, nextSeq: number | undefined): void {
    const before = log.pending;
    if (nextSeq === undefined) {
      const lines = log.refuse();
      const { fields } = log.attempt;
      this.#deps.log.warn({ ...fields, lines }, "log lines refused: another attempt has the job");
    } else {
      log.stored(nextSeq);
    }
    this.#gone(log, before);
  }

  #gone(log: AttemptLog, before: number): void {
    this.#lines -= before - log.pending;
    this.#urgent.delete(log);
    this.#dirty.delete(log);
    // To the end of the line.
    if (log.pending > 0) (log.awaited ? this.#urgent : this.#dirty).add(log);
  }

  /** Lines that cannot be stored must not hold up those of other attempts. */
  async #isolate(parts: readonly Part[], error: unknown): Promise<void> {
    if (parts.length > 1 && !isTransient(error)) {
      for (const part of parts) await this.#send([part], true);
      return;
    }
    for (const { log, chunk } of parts) {
      const before = log.pending;
      log.lose();
      this.#gone(log, before);
      const fields = { ...log.attempt.fields, err: error, lines: chunk.lines.length };
      this.#deps.log.error(fields, "log lines lost: they could not be stored");
    }
  }

  async #persist(chunks: readonly LogChunk[], again: boolean) {
    const { sql, log, giveUp } = this.#deps;
    for (let tries = 1; ; tries += 1) {
      try {
        return await appendLogs(sql, chunks, performance.now(), again || tries > 1);
      } catch (error) {
        if (!isTransient(error) || giveUp.aborted) throw error;
        if (tries === 1) log.warn({ err: error }, "log lines wait for the database");
        await pause(backoff(tries), giveUp);
      }
    }
  }
}
