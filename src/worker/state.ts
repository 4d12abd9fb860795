/** The states of a worker, and what may follow each. */
export const TRANSITIONS = {
  /** Reaching the database, then `onStart`. */
  starting: ["running", "closing"],
  /** Claiming and running jobs. */
  running: ["draining", "closing"],
  /** Claims nothing; waits for running jobs. */
  draining: ["aborting", "closing"],
  /** The signals of running jobs are aborted; a last short wait. */
  aborting: ["closing"],
  /** Recording outcomes, `onShutdown`, closing connections. */
  closing: ["stopped"],
  stopped: [],
} as const satisfies Record<string, readonly string[]>;

export type State = keyof typeof TRANSITIONS;

/** Holds a worker's state to the table of transitions. */
export class StateMachine {
  #state: State = "starting";

  get current(): State {
    return this.#state;
  }

  /** @throws Error where the table does not allow it: a bug, not a condition to handle */
  move(next: State): void {
    const allowed: readonly State[] = TRANSITIONS[this.#state];
    if (!allowed.includes(next)) {
      throw new Error(`a worker cannot go from ${this.#state} to ${next}`);
    }
    this.#state = next;
  }
}
