/** Remembers what was looked up for a short while, and then holds nothing of it any more. */
export class Memory<T> {
  readonly #ms: number;
  readonly #kept = new Map<string, { value: Promise<T>; until: number }>();

  /** @param ms how long */
  constructor(ms: number) {
    this.#ms = ms;
  }

  /** What is remembered, or is being looked up, or is looked up now. Failures are not remembered. */
  recall(key: string, lookUp: () => Promise<T>, worthwhile: (value: T) => boolean): Promise<T> {
    const known = this.#kept.get(key);
    // A timer may be late.
    if (known !== undefined && performance.now() < known.until) return known.value;
    const value = lookUp();
    const entry = { value, until: Infinity };
    this.#kept.set(key, entry);
    const forget = () => {
      if (this.#kept.get(key) === entry) this.#kept.delete(key);
    };
    value.then((found) => {
      if (!worthwhile(found)) {
        forget();
        return;
      }
      entry.until = performance.now() + this.#ms;
      setTimeout(forget, this.#ms).unref();
    }, forget);
    return value;
  }

  get size(): number {
    return this.#kept.size;
  }
}
