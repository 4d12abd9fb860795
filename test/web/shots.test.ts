import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lookAt, SHOTS } from "./shots.js";
import { Site } from "./site.js";

/** `SHOTS=folder npx vitest run test/web/shots.test.ts` keeps the pictures, to look at. */
const kept = process.env.SHOTS;
const only = process.env.SHOT;

let site: Site;
beforeAll(async () => {
  site = await Site.start();
}, 180_000);
afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
});

describe("on every screen, in both themes, wide and on a phone", () => {
  const shots = SHOTS.filter(({ name }) => only === undefined || only.split(",").includes(name));

  test.each(shots)("$name: axe finds nothing, and the page fits", { timeout: 120_000 }, (shot) =>
    lookAt(site, shot, kept),
  );

  test("there are no two of one name", () => {
    expect(new Set(SHOTS.map(({ name }) => name)).size).toBe(SHOTS.length);
  });
});
