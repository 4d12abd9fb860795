/** A page of a list. */
export interface Page<I> {
  items: I[];
  nextCursor: string | number | null;
}

/**
 * A list that comes in pages. Awaited it is its first page; iterated, all of its items, page by page
 * as they are needed. Nothing is asked for before one of the two is done.
 *
 * @example
 * const { items, nextCursor } = await client.crons.ticks("crm", id, { limit: 20 });
 * for await (const tick of client.crons.ticks("crm", id)) console.log(tick.outcome);
 */
export class Listing<P extends Page<I>, I> implements PromiseLike<P>, AsyncIterable<I> {
  readonly #load: (cursor: string | undefined) => Promise<P>;
  #first: Promise<P> | undefined;

  constructor(load: (cursor: string | undefined) => Promise<P>) {
    this.#load = load;
  }

  then<A = P, B = never>(
    onFulfilled?: ((page: P) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#begin().then(onFulfilled, onRejected);
  }

  catch<B = never>(onRejected: (reason: unknown) => B | PromiseLike<B>): Promise<P | B> {
    return this.#begin().catch(onRejected);
  }

  finally(onSettled: () => void): Promise<P> {
    return this.#begin().finally(onSettled);
  }

  /** Page by page. */
  async *pages(): AsyncGenerator<P, void, undefined> {
    let page: P = await this.#begin();
    for (;;) {
      yield page;
      if (page.nextCursor === null) return;
      page = await this.#load(String(page.nextCursor));
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<I, void, undefined> {
    for await (const page of this.pages()) yield* page.items;
  }

  #begin(): Promise<P> {
    return (this.#first ??= this.#load(undefined));
  }
}
