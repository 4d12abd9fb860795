/*
 * One list out of several: jobs are listed app by app, and people look at all of theirs. Pages are
 * merged in order, so that "show more" goes on where each app's list was left.
 */

/** Where the list of one app goes on. */
export interface Source<I> {
  appId: string;
  /** undefined: at its beginning; null: it has no more. */
  cursor: string | null | undefined;
  /** What was read of it and not shown yet. */
  ahead: readonly I[];
}

export interface MergedPage<I> {
  items: I[];
  /** null after the last page. */
  next: readonly Source<I>[] | null;
}

type Load<I> = (
  appId: string,
  cursor: string | undefined,
) => PromiseLike<{ items: readonly I[]; nextCursor: string | null }>;

/** Pages may be empty and yet not the last: the server bounds how far it looks for one. */
const MOST_EMPTY = 5;

export const beginnings = <I>(appIds: readonly string[]): readonly Source<I>[] =>
  appIds.map((appId) => ({ appId, cursor: undefined, ahead: [] }));

/**
 * The next page of a merged list.
 *
 * @param compare the order of every list, and of the whole
 */
export async function mergedPage<I>(
  sources: readonly Source<I>[],
  size: number,
  load: Load<I>,
  compare: (a: I, b: I) => number,
): Promise<MergedPage<I>> {
  const full = await Promise.all(sources.map((source) => refill(source, load)));
  const items: I[] = [];
  while (items.length < size) {
    // Of a list that may have more, nothing is known beyond what was read.
    if (full.some(({ ahead, cursor }) => ahead.length === 0 && cursor !== null)) break;
    const first = full.reduce<Source<I> | undefined>((best, source) => {
      const [one] = source.ahead;
      const [least] = best?.ahead ?? [];
      if (one === undefined) return best;
      return least === undefined || compare(one, least) < 0 ? source : best;
    }, undefined);
    const [item, ...rest] = first?.ahead ?? [];
    if (first === undefined || item === undefined) break;
    items.push(item);
    full[full.indexOf(first)] = { ...first, ahead: rest };
  }
  const over = full.every(({ ahead, cursor }) => ahead.length === 0 && cursor === null);
  return { items, next: over ? null : full };
}

async function refill<I>(source: Source<I>, load: Load<I>): Promise<Source<I>> {
  let { cursor, ahead } = source;
  for (let tries = 0; ahead.length === 0 && cursor !== null && tries < MOST_EMPTY; tries++) {
    const page = await load(source.appId, cursor);
    ahead = page.items;
    cursor = page.nextCursor;
  }
  return { ...source, cursor, ahead };
}
