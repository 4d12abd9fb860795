import { readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { jobPath, openShot, type Shot } from "./shots.js";
import { Site, type OpenOptions } from "./site.js";

/*
 * The pictures of the README, from the company that never changes:
 * `PICTURES=1 npx vitest run test/web/pictures.test.ts` makes them anew.
 */

const folder = fileURLToPath(new URL("../../docs/pictures/", import.meta.url));
const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const MOST_BYTES = 150_000;

const wide: OpenOptions = { width: 1280, height: 860 };

const PICTURES: readonly (Shot & { look: OpenOptions })[] = [
  { name: "overview", path: () => "/", ready: "64 %", look: wide },
  { name: "crons", path: () => "/crons", ready: "rebuild-cube", look: wide },
  {
    name: "cron",
    path: (site) => site.cronPath("warehouse/stock-sync"),
    ready: "next slot",
    look: { ...wide, theme: "dark" },
  },
  {
    name: "job",
    path: (site) => jobPath(site, "billing", "headers ? 'target' and attempt = 3"),
    ready: "HTTP exchange",
    look: wide,
  },
  { name: "phone", path: () => "/", ready: "64 %", look: { width: 390, height: 844 } },
];

// Made first, where they are: what is looked at below is what was made.
if (process.env.PICTURES) describe("made anew", makeThem);

describe("the pictures of the README", () => {
  test("are there, each as light as a page can bear, and none is left over", () => {
    const shown = [...readme.matchAll(/docs\/pictures\/([\w-]+\.webp)/g)].map(([, name]) => name);
    expect(new Set(shown)).toEqual(new Set(PICTURES.map(({ name }) => `${name}.webp`)));
    expect(readdirSync(folder).sort()).toEqual([...new Set(shown)].sort());
    for (const name of readdirSync(folder)) {
      expect(statSync(folder + name).size, name).toBeLessThan(MOST_BYTES);
    }
  });
});

function makeThem(): void {
  let site: Site;
  beforeAll(async () => {
    await mkdir(folder, { recursive: true });
    site = await Site.start();
  }, 180_000);
  afterAll(async () => {
    await site?.[Symbol.asyncDispose]();
  });

  test.each(PICTURES)("$name", async ({ look, ...shot }) => {
    const page = await openShot(site, shot, { ...look, as: "maria.okafor" });
    // No cursor, and nothing that has the focus.
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    const debuggerOf = await page.context().newCDPSession(page);
    const options = { format: "webp", quality: 82 } as const;
    const { data } = await debuggerOf.send("Page.captureScreenshot", options);
    await writeFile(`${folder}${shot.name}.webp`, Buffer.from(data, "base64"));
  });
}
