/** A timer may fire a little early by the other clock. */
const EARLY_MS = 1;

/**
 * Deadlines of many things on one timer. Those of one length come due in the order in which they
 * were set, so a queue per length is all it takes: setting and dropping one costs no timer.
 */
export class Deadlines<T> {
  readonly #queues = new Map<number, Map<T, number>>();
  readonly #onDue: (item: T) => void;
  #timer: NodeJS.Timeout | undefined;
  #next = Infinity;

  constructor(onDue: (item: T) => void) {
    this.#onDue = onDue;
  }

  set(item: T, ms: number): void {
    const due = performance.now() + ms;
    let queue = this.#queues.get(ms);
    if (queue === undefined) this.#queues.set(ms, (queue = new Map<T, number>()));
    queue.set(item, due);
    if (due < this.#next) this.#arm(due);
  }

  /** Drops a deadline of this length. */
  drop(item: T, ms: number): void {
    this.#queues.get(ms)?.delete(item);
  }

  #arm(due: number): void {
    clearTimeout(this.#timer);
    this.#next = due;
    // Whoever has deadlines has connections that keep the process alive.
    this.#timer = setTimeout(() => this.#fire(), due - performance.now()).unref();
  }

  #fire(): void {
    const now = performance.now() + EARLY_MS;
    const overdue: T[] = [];
    let next = Infinity;
    for (const [ms, queue] of this.#queues) {
      for (const [item, due] of queue) {
        if (due > now) {
          next = Math.min(next, due);
          break;
        }
        queue.delete(item);
        overdue.push(item);
      }
      if (queue.size === 0) this.#queues.delete(ms);
    }
    this.#next = Infinity;
    if (next < Infinity) this.#arm(next);
    overdue.forEach(this.#onDue);
  }
}
