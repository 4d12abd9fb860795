import type { LogLevel, LogStream } from "../db/logs.js";
import type { Attempt } from "./attempt.js";
import { type LineInput, type PackedLine, packLine } from "./log-line.js";

/** What one attempt may write; beyond it lines are dropped and counted. */
export const MAX_LINES = 200_000;
export const MAX_LOG_BYTES = 64 * 1024 * 1024;
/** Reports of progress are kept at most so often. */
export const PROGRESS_MS = 1000;

const FULL = `the log is full: an attempt may write ${MAX_LINES} lines and ${MAX_LOG_BYTES / 1024 / 1024} MiB; what follows is dropped`;

/** What takes the lines of all attempts to the database. */
export interface LogSink {
  /** Whether there is room for so many bytes more. */
  hasRoom(bytes: number): boolean;
  /** There are lines waiting; `now` asks that they be sent at once. */
  waiting(log: AttemptLog, now: boolean): void;
  /** So many bytes have begun (or, negative, ended) to be held. */
  held(bytes: number): void;
}

/** The log of one attempt: takes lines, holds them until they are stored, and counts those it cannot. */
export class AttemptLog {
  readonly attempt: Attempt;
  /** The number of the next line to send; undefined while only the database knows. */
  nextSeq: number | undefined;
  readonly #sink: LogSink;
  #pending: PackedLine[] = [];
  #sending = 0;
  #bytes = 0;
  #full = false;
  #dropped = 0;
  #why = "";
  #refused = false;
  /** Lines pushed and gone so far, and who waits for how many to be gone. */
  #pushed = 0;
  #gone = 0;
  #waiters: { until: number; resolve: () => void }[] = [];
  #progress: { text: string; at: number } | undefined;
  #due: { input: LineInput; timer: NodeJS.Timeout } | undefined;

  constructor(attempt: Attempt, sink: LogSink) {
    this.attempt = attempt;
    this.#sink = sink;
    this.nextSeq = attempt.job.attempt === 1 ? 1 : undefined;
  }

  /** Lines not stored yet. */
  get pending(): number {
    return this.#pending.length;
  }

  /** Whether somebody waits for lines of it to be stored. */
  get awaited(): boolean {
    return this.#waiters.length > 0;
  }

  /** Takes a line. */
  add(input: LineInput): void {
    if (this.#refused) return;
    if (this.#full) {
      this.#drop(1, "the log is full");
      return;
    }
    const line = packLine(input, performance.now());
    if (this.#pushed >= MAX_LINES || this.#bytes + line.bytes > MAX_LOG_BYTES) {
      this.#tellDropped();
      this.#note(FULL);
      this.#full = true;
      this.#drop(1, "the log is full");
    } else if (!this.#sink.hasRoom(line.bytes)) {
      this.#drop(1, "they came faster than they could be stored");
    } else {
      this.#tellDropped();
      this.#push(line);
    }
  }

  log(level: LogLevel, message: unknown, data?: unknown): void {
    this.add({ level, stream: "log", message, data });
  }

  /** Reports progress; reports that follow each other fast are thinned out, the last one stays. */
  progress(percent: number, note = ""): void {
    if (!Number.isFinite(percent)) {
      this.log("warn", `progress(${percent}) is ignored: it takes a number from 0 to 100`);
      return;
    }
    const bounded = Math.round(Math.min(100, Math.max(0, percent)) * 100) / 100;
    const text = `${bounded} ${note}`;
    const now = performance.now();
    const last = this.#progress;
    if (last?.text === text) return;
    const input = { level: "info", stream: "progress", message: note, percent: bounded } as const;
    if (last !== undefined && now - last.at < PROGRESS_MS) {
      this.#postpone(input, last.at + PROGRESS_MS - now);
      return;
    }
    this.#cancelDue();
    this.#progress = { text, at: now };
    this.#push(packLine(input, now));
  }

  /** Resolves when everything so far is stored, or has been given up. */
  flush(): Promise<void> {
    if (this.#pending.length === 0) return Promise.resolve();
    const stored = new Promise<void>((resolve) => {
      this.#waiters.push({ until: this.#pushed, resolve });
    });
    this.#sink.waiting(this, true);
    return stored;
  }

  /** The attempt is over: says what was left out, and stores the rest; undefined where that is nothing. */
  settle(): Promise<void> | undefined {
    this.#reportDue();
    this.#tellDropped();
    return this.#pending.length === 0 ? undefined : this.flush();
  }

  /** The next lines to send, at most so many and about so large; at least one. */
  take(lines: number, bytes: number): PackedLine[] {
    let size = 0;
    let count = 0;
    for (const line of this.#pending) {
      if (count === lines || (count > 0 && size + line.bytes > bytes)) break;
      size += line.bytes;
      count += 1;
    }
    this.#sending = count;
    return this.#pending.slice(0, count);
  }

  /** What was taken last is stored; the next line has this number. */
  stored(nextSeq: number): void {
    this.nextSeq = nextSeq;
    this.#forget(this.#sending);
  }

  /** What was taken last cannot be stored. */
  lose(): void {
    this.#drop(this.#sending, "they could not be stored");
    this.#forget(this.#sending);
  }

  /** Nothing of this attempt is taken any more; how many lines that leaves out. */
  refuse(): number {
    const left = this.#pending.length;
    this.#refused = true;
    this.#cancelDue();
    this.#forget(left);
    return left;
  }

  #forget(count: number): void {
    const gone = this.#pending.splice(0, count);
    this.#sending = 0;
    this.#sink.held(-gone.reduce((sum, { bytes }) => sum + bytes, 0));
    this.#gone += gone.length;
    const waiters = this.#waiters;
    this.#waiters = waiters.filter(({ until }) => until > this.#gone);
    for (const { until, resolve } of waiters) if (until <= this.#gone) resolve();
  }

  #drop(lines: number, why: string): void {
    this.#dropped += lines;
    this.#why = why;
  }

  #push(line: PackedLine): void {
    this.#pending.push(line);
    this.#pushed += 1;
    this.#bytes += line.bytes;
    this.#sink.held(line.bytes);
    this.#sink.waiting(this, false);
  }

  /** A line of Carillon's own, which no cap holds up. */
  #note(message: string, data?: object): void {
    const stream: LogStream = "log";
    this.#push(packLine({ level: "warn", stream, message, data }, performance.now()));
  }

  #tellDropped(): void {
    if (this.#dropped === 0 || this.#refused) return;
    const lines = this.#dropped;
    this.#dropped = 0;
    this.#note(`${lines} lines were dropped here: ${this.#why}`, { droppedLines: lines });
  }

  #postpone(input: LineInput, ms: number): void {
    if (this.#due !== undefined) {
      this.#due.input = input;
      return;
    }
    const timer = setTimeout(() => this.#reportDue(), ms);
    this.#due = { input, timer };
  }

  #reportDue(): void {
    const due = this.#due;
    if (due === undefined) return;
    this.#cancelDue();
    this.#progress = {
      text: `${due.input.percent} ${String(due.input.message)}`,
      at: performance.now(),
    };
    this.#push(packLine(due.input, performance.now()));
  }

  #cancelDue(): void {
    clearTimeout(this.#due?.timer);
    this.#due = undefined;
  }
}
