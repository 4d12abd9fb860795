import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Site } from "./site.js";

/** The screens that are looked at, by their file's name. */
const SCREENS: readonly (readonly [name: string, path: (site: Site) => string, ready: string])[] = [
  ["overview", () => "/", "Running now"],
  ["crons", () => "/crons", "rebuild-cube"],
  ["cron", (site) => site.cronPath("warehouse/stock-sync"), "next slot"],
  [
    "cron-audit",
    (site) => `${site.cronPath("crm/daily-digest")}?tab=audit`,
    "sales starts at nine",
  ],
  ["upcoming", () => "/upcoming", "Falls together"],
];

/** Pictures of every screen, light and dark, wide and on a phone. */
export async function takeShots(site: Site, folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const taken: string[] = [];
  for (const [name, path, ready] of SCREENS) {
    for (const theme of ["light", "dark"] as const) {
      for (const [width, height] of [
        [1440, 900],
        [390, 844],
      ] as const) {
        const page = await site.open(path(site), { as: "maria.okafor", theme, width, height });
        await page.getByText(ready).first().waitFor();
        await page.waitForLoadState("networkidle");
        const file = `${name}-${theme}-${width}.png`;
        await page.screenshot({ path: join(folder, file) });
        await page.context().close();
        taken.push(file);
      }
    }
  }
  return taken;
}
