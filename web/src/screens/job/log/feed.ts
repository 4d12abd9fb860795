import type { LogLine } from "carillon/client";
import { client } from "../../../session/session.js";
import { createStore, type Store } from "../../../store.js";

export const LEVELS = [
  "debug",
  "info",
  "warn",
  "error",
] as const satisfies readonly LogLine["level"][];
export type Level = (typeof LEVELS)[number];

/** Which lines are wanted. */
export interface LogFilter {
  q: string;
  /** None: all. */
  levels: readonly Level[];
}

export interface LogState {
  lines: readonly LogLine[];
  /** There are lines before the first. */
  earlier: boolean;
  phase: "reading" | "following" | "resting" | "ended" | "failed";
  error: unknown;
}

/** Lines kept at most while one follows; earlier ones are read again when asked for. */
const MOST_LINES = 5000;
const PAGE = 1000;

/**
 * The log of one job: its newest lines, then those that come, by one stream that is open only while
 * somebody looks. After a rest it goes on behind the last line it has.
 */
export class LogFeed {
  readonly state: Store<LogState> = createStore<LogState>({
    ...{ lines: [], earlier: false, phase: "reading", error: null },
  });
  /** While false nothing is dropped: somebody reads further up. */
  following = true;
  readonly #appId: string;
  readonly #jobId: number;
  readonly #filter: LogFilter;
  #stop = new AbortController();
  #wasRead = false;
  #last = 0;
  #coming: LogLine[] = [];
  #frame = 0;

  constructor(appId: string, jobId: number, filter: LogFilter) {
    this.#appId = appId;
    this.#jobId = jobId;
    this.#filter = filter;
  }

  /**
   * Reads, and follows until the job has ended, or until it is stopped.
   *
   * @param live whether there may be more to come
   * @param onEnd the job has ended while it was followed
   */
  async run(live: boolean, onEnd: () => void): Promise<void> {
    this.#stop.abort();
    const { signal } = (this.#stop = new AbortController());
    try {
      if (!this.#wasRead) await this.#readEnd(signal);
      if (!live || this.state.get().phase === "ended") {
        this.#set({ phase: "ended" });
        return;
      }
      this.#set({ phase: "following", error: null });
      const after = { after: this.#last };
      for await (const { event, data } of client().jobs.followLog(this.#appId, this.#jobId, after, {
        signal,
      })) {
        if (event === "log") this.#take(data);
        else if (event === "end") {
          this.#flush();
          this.#set({ phase: "ended" });
          onEnd();
        }
      }
    } catch (error) {
      if (!signal.aborted) this.#set({ phase: "failed", error });
    }
  }

  /** Closes the stream; what was read stays. */
  rest(): void {
    this.#stop.abort();
    if (this.state.get().phase === "following") this.#set({ phase: "resting" });
  }

  /** Reads the lines before the first; how many there were. */
  async readEarlier(): Promise<number> {
    const { lines } = this.state.get();
    const [first] = lines;
    if (first === undefined) return 0;
    const { items, nextCursor } = await this.#page(first.seq, undefined);
    this.#set({
      lines: [...items.toReversed(), ...this.state.get().lines],
      earlier: nextCursor !== null,
    });
    return items.length;
  }

  async #readEnd(signal: AbortSignal): Promise<void> {
    // The filter may leave out the newest line, which is where following begins.
    const newest = await client().jobs.logs(
      this.#appId,
      this.#jobId,
      { order: "desc", limit: 1 },
      { signal },
    );
    const { items, nextCursor } = await this.#page(undefined, signal);
    const lines = items.toReversed();
    this.#last = Math.max(newest.items[0]?.seq ?? 0, lines.at(-1)?.seq ?? 0);
    this.#wasRead = true;
    this.#set({ lines, earlier: nextCursor !== null });
  }

  #page(before: number | undefined, signal: AbortSignal | undefined) {
    const { q, levels } = this.#filter;
    return client().jobs.logs(
      this.#appId,
      this.#jobId,
      {
        ...{ order: "desc", limit: PAGE },
        ...(before === undefined ? {} : { cursor: before }),
        ...(q === "" ? {} : { q }),
        ...(levels.length === 0 ? {} : { level: [...levels] }),
      },
      { signal },
    );
  }

  #take(line: LogLine): void {
    this.#last = Math.max(this.#last, line.seq);
    if (!isWanted(line, this.#filter)) return;
    this.#coming.push(line);
    // Thousands may come at once: they are shown together.
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#flush());
  }

  #flush(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    if (this.#coming.length === 0) return;
    const { lines, earlier } = this.state.get();
    const all = [...lines, ...this.#coming];
    this.#coming = [];
    const over = this.following ? Math.max(0, all.length - MOST_LINES) : 0;
    this.#set({ lines: all.slice(over), earlier: earlier || over > 0 });
  }

  #set(changes: Partial<LogState>): void {
    this.state.set({ ...this.state.get(), ...changes });
  }
}

/** The rule of the server, for lines that come by the stream. */
export function isWanted({ level, message, data }: LogLine, { q, levels }: LogFilter): boolean {
  if (levels.length > 0 && !levels.includes(level)) return false;
  if (q === "") return true;
  const text = q.toLowerCase();
  const inData = data !== null && JSON.stringify(data).toLowerCase().includes(text);
  return inData || message.toLowerCase().includes(text);
}
