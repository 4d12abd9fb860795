/** How the handlers of a run behave. */
export interface WorkOptions {
  /** Jobs a process runs at once, where the system has such a number; its fastest when absent. */
  concurrency?: number;
  /** How long a handler waits; 0 is a no-op. */
  sleepMs?: number;
  /** Whether every second handler throws. */
  failHalf?: boolean;
  /** Whether every handler writes one line to the job's log, where the system has one. */
  log?: boolean;
  /** Whether a worker also drives schedules. */
  schedules?: boolean;
}

/** What every job carries, alike in all systems: about 100 bytes of JSON. */
export interface JobPayload {
  n: number;
  text: string;
  /** When it was sent, in milliseconds of this machine's monotonic clock. */
  sentAt?: number;
}

export const payload = (n: number): JobPayload => ({ n, text: "x".repeat(72) });

export type Handler = (job: JobPayload) => void | Promise<void>;

/** One system under measurement, as its own process sees it. */
export interface Contestant {
  /** Connects, and makes what is missing in the database. */
  open(url: string): Promise<void>;
  /** Enqueues this many jobs by the fastest way the system has for batches. */
  enqueue(count: number): Promise<void>;
  /** Enqueues one job. */
  send(job: JobPayload): Promise<void>;
  /** Begins to work; fulfilled when it does. */
  work(handler: Handler, options: WorkOptions): Promise<void>;
  /** Stops working; idle from then on. */
  rest(): Promise<void>;
  /** Makes this many schedules with one cron expression, by this many calls at once. */
  schedule?(count: number, expression: string, atOnce: number): Promise<void>;
  close(): Promise<void>;
}

/** Milliseconds of a clock that all processes of this machine share. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Milliseconds since 1970, with fractions. */
export const epochMs = (): number => performance.timeOrigin + performance.now();

/** Calls a function for 0 … count-1, so many at once. */
export async function times(
  count: number,
  atOnce: number,
  call: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) await call(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}
