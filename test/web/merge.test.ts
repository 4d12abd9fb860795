import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { beginnings, mergedPage, type Source } from "../../web/src/jobs/merge.js";

interface Row {
  id: number;
}

/** Apps with their rows, newest first, in pages of a size of which some are short or empty. */
const apps = fc.uniqueArray(fc.integer({ min: 1, max: 500 }), { maxLength: 80 }).chain((ids) =>
  fc.record({
    owners: fc.array(fc.integer({ min: 0, max: 3 }), {
      minLength: ids.length,
      maxLength: ids.length,
    }),
    ids: fc.constant(ids),
    pageSizes: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 7 }),
    size: fc.integer({ min: 1, max: 30 }),
  }),
);

function server(owners: readonly number[], ids: readonly number[], pageSizes: readonly number[]) {
  const rowsOf = (appId: string) =>
    ids.filter((_, at) => `a${owners[at]}` === appId).sort((a, b) => b - a);
  return (appId: string, cursor: string | undefined) => {
    const [from, turn] = (cursor ?? "0,0").split(",").map(Number) as [number, number];
    const all = rowsOf(appId);
    const to = from + (pageSizes[turn % pageSizes.length] ?? 1);
    const items = all.slice(from, to).map((id): Row => ({ id }));
    return Promise.resolve({ items, nextCursor: to < all.length ? `${to},${turn + 1}` : null });
  };
}

describe("lists of several apps in one", () => {
  test("hold every row once, in order, whatever the pages of each", async () => {
    await fc.assert(
      fc.asyncProperty(apps, async ({ owners, ids, pageSizes, size }) => {
        fc.pre(pageSizes.some((one) => one > 0));
        const load = server(owners, ids, pageSizes);
        const found: number[] = [];
        let next: readonly Source<Row>[] | null = beginnings<Row>(["a0", "a1", "a2", "a3"]);
        while (next !== null) {
          const page: { items: Row[]; next: readonly Source<Row>[] | null } = await mergedPage(
            next,
            size,
            load,
            (a, b) => b.id - a.id,
          );
          expect(page.items.length).toBeLessThanOrEqual(size);
          found.push(...page.items.map(({ id }) => id));
          next = page.next;
        }
        expect(found).toEqual([...ids].sort((a, b) => b - a));
      }),
    );
  });

  test("end with their last row: no empty page is offered", async () => {
    const load = server([0, 1], [2, 1], [5]);
    const page = await mergedPage(beginnings<Row>(["a0", "a1"]), 5, load, (a, b) => b.id - a.id);
    expect(page).toEqual({ items: [{ id: 2 }, { id: 1 }], next: null });
  });
});
