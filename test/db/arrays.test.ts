import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { formatArray, parseArray } from "../../src/db/arrays.js";
import { connect, type Sql } from "../../src/db/connect.js";
import { createTestDatabase, type TestDatabase } from "../helpers/database.js";

let db: TestDatabase;
let sql: Sql;
beforeAll(async () => {
  db = await createTestDatabase();
  sql = connect(db.url, { max: 1 });
});
afterAll(async () => {
  await sql.end();
  await db.drop();
});

const text = fc.string({ unit: "grapheme" }).map((s) => s.replaceAll("\0", ""));

test("an array is written and read as PostgreSQL does it", async () => {
  const hard = ["", "NULL", "null", '"', "\\", "a,b", "{}", " x ", 'q"\\"q', "line\nbreak", "😀"];
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(text, fc.constantFrom(...hard))), async (items) => {
      expect(parseArray(formatArray(items), (item) => item)).toEqual(items);
      const [row] = await sql<{ back: string[]; n: number }[]>`
        select ${items}::text[] as back, cardinality(${items}::text[]) as n`;
      expect(row).toEqual({ back: items, n: items.length });
    }),
    { numRuns: 60 },
  );
});

test("numbers, uuids and nulls in arrays keep their types", async () => {
  const id = "f47ac10b-58cc-4372-a567-0e02b2c3d479";
  const [row] = await sql`
    select ${[1, 2 ** 40]}::bigint[] as big, ${[3, -4]}::integer[] as small,
      ${[id]}::uuid[] as ids, array['a', null]::text[] as gaps, '{}'::text[] as none`;
  expect(row).toEqual({
    ...{ big: [1, 2 ** 40], small: [3, -4] },
    ...{ ids: [id], gaps: ["a", null], none: [] },
  });
});
