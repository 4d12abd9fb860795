import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ROUTES } from "../../src/api/routes/index.js";
import { createTestDatabase } from "../helpers/database.js";

const page = readFileSync(new URL("../../docs/access.md", import.meta.url), "utf8");

test("docs/access.md lists every permission that a route asks for", () => {
  const asked = ROUTES.flatMap(({ permission, alsoNeeds = [] }) => [
    permission,
    ...alsoNeeds.map((extra) => extra.permission),
  ]);
  const named = new Set(asked.filter((permission) => permission.includes(":")));
  for (const permission of named) {
    expect(page).toContain(`\`${permission.replace("{appId}", "{id}")}\``);
  }
});

test("docs/access.md has every route of the access rooms, with its permission", () => {
  const rooms = /^\/api\/v1\/(me|permissions|principals|roles|keys)\b/;
  const routes = ROUTES.filter(({ path }) => rooms.test(path));
  expect(routes.length).toBeGreaterThan(15);
  const rows = [...page.matchAll(/^\| (`[^|]+`) +\| ([^|]*?) +\|/gm)].map(([, what, needs]) => ({
    what: what ?? "",
    needs: needs ?? "",
  }));
  for (const { method, path, permission } of routes) {
    const row =
      rows.find(
        ({ what }) =>
          what.includes(`\`${method.toUpperCase()}`) && / (\S+?)[?`]/.exec(what)?.[1] === path,
      ) ??
      rows.find(({ what }) => what.includes(method.toUpperCase()) && what.includes(`${path}\``));
    expect(row, `${method} ${path}`).toBeDefined();
    if (permission !== "authenticated") expect(row?.needs).toBe(`\`${permission}\``);
  }
});

test("the SQL of docs/access.md runs", async () => {
  await using db = await createTestDatabase();
  await db.sql`select carillon.install_app(app => 'crm')`;
  await db.sql`select carillon.create_principal(username => 'ann')`;
  const [, script = ""] = /```sql\n([\s\S]+?)```/.exec(page) ?? [];
  await db.sql.unsafe(script);
  const [ann] = await db.sql`
    select enabled, roles from carillon.get_principal(principal => carillon.find_principal('ann'))`;
  expect(ann).toEqual({ enabled: false, roles: ["reader"] });
});
