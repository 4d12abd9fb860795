import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { takeShots } from "./shots.js";
import { Site } from "./site.js";

/** `SHOTS=folder npm test -- test/web/shots.test.ts` keeps the pictures, to look at. */
const kept = process.env.SHOTS ?? "";

test(
  "every screen comes up in both themes, wide and on a phone",
  { timeout: 400_000 },
  async () => {
    const folder = kept === "" ? await mkdtemp(join(tmpdir(), "shots-")) : kept;
    await using site = await Site.start();
    const files = await takeShots(site, folder);
    for (const file of files) {
      expect((await stat(join(folder, file))).size, file).toBeGreaterThan(10_000);
    }
    site.expectNoFaults();
    if (kept === "") await rm(folder, { recursive: true });
  },
);
