import { readFile } from "node:fs/promises";

import { afterAll, beforeAll, expect, test } from "vitest";

import { createTestDatabase, type TestDatabase } from "../helpers/database.js";
import { dstTables } from "./dst-table.js";
import { refusalOf } from "./sql.js";

let db: TestDatabase;
let page: string;

beforeAll(async () => {
  db = await createTestDatabase();
  page = await readFile(new URL("../../docs/schedules.md", import.meta.url), "utf8");
});
afterAll(() => db.drop());

test("the tables of the page are what next_fire does", async () => {
  const { gap, fold } = await dstTables(db.sql);
  expect(page).toContain(gap);
  expect(page).toContain(fold);
});

test("every schedule the page calls wrong is refused, with the words of the page", async () => {
  const rows = [...page.matchAll(/^\| `([^`]+)` +\| `([^`]+)` +\| `([^`]+)` +\|$/gm)];
  expect(rows.length).toBeGreaterThan(15);
  for (const [, schedule = "", message = "", hint = ""] of rows) {
    const refusal = await refusalOf(db.sql`select carillon.check_schedule(${schedule}, 'GMT')`);
    expect(refusal).toMatchObject({ code: "TK002", message, hint });
  }
});

test("every schedule the page describes is described so", async () => {
  const rows = [
    ...page.matchAll(/^\| `([^`]+)` +\| `([A-Za-z_/]+)` +\| ([A-Z][^|]+?) +\| `([^`]+)` +\|$/gm),
  ];
  expect(rows.length).toBeGreaterThan(8);
  for (const [, schedule = "", zone = "", sentence = "", expression = ""] of rows) {
    const [row] = await db.sql<{ sentence: string; expression: string }[]>`
      select carillon.describe_schedule(${schedule}, ${zone}) as sentence,
        carillon.compile_schedule(${schedule}, ${zone}, '1.6', '2026-01-01Z') as expression`;
    expect(row).toEqual({ sentence, expression });
  }
});
