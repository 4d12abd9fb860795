import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectAccessible, Site } from "./site.js";

let site: Site;
beforeAll(async () => {
  site = await Site.start();
}, 180_000);
afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
});

const phone = (path: string) => site.open(path, { as: "jonas.lindqvist", width: 390, height: 844 });

/** How far a table can be scrolled sideways in its box. */
const beyond = (page: Page, table: string) =>
  page
    .getByRole("region", { name: table, exact: true })
    .evaluate((box) => box.scrollWidth - box.clientWidth);

test.each([
  ["/admin/keys?whose=all", "Keys", "pipeline-before"],
  ["/admin/people", "People and service accounts", "tom.becker"],
  ["/admin/roles", "Roles", "of-grace.mbeki"],
  ["/admin/apps", "Apps", "Morning assistant"],
  ["/admin/secrets?app=billing", "Secrets by name", "PAYMENTS_TOKEN"],
  ["/admin/targets?app=shop", "Broken targets", "feed.larkfield.example"],
  ["/admin/settings", "Retention of each app", "365 days"],
  ["/doctor", "Workers and dispatchers, silent ones first", "dispatcher-1c9e"],
])("%s is cards on a phone, each value beside its name", async (path, table, ready) => {
  const page = await phone(path);
  await page.getByText(ready).first().waitFor();
  expect(await beyond(page, table)).toBe(0);
  const cell = page.getByRole("region", { name: table, exact: true }).locator("td[data-label]");
  const label = await cell
    .first()
    .evaluate((one) => getComputedStyle(one, "::before").content.replaceAll('"', ""));
  expect(label).toBe(await cell.first().getAttribute("data-label"));
});

test("crons are selected on a phone as well", async () => {
  const page = await phone("/crons");
  await page.getByLabel("Select rebuild-cube").check();
  await page.getByText("1 cron selected").waitFor();
  const box = await page.getByLabel("Select rebuild-cube").boundingBox();
  expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(24);
  await expectAccessible(page);
});

test("a cron's strip shows as many slots as it says, and all 90 where there is room", async () => {
  const page = await phone(site.cronPath("warehouse/stock-sync"));
  const strip = page.getByRole("slider", { name: "Slots, oldest to newest" });
  // Its width is known a moment after the page, and again once that is long enough to scroll.
  await expect
    .poll(async () => ({
      shown: await strip.getAttribute("aria-valuemax"),
      hidden: await strip.evaluate((box) => box.scrollWidth - box.clientWidth),
    }))
    .toEqual({ shown: expect.stringMatching(/^[2-4]\d$/) as string, hidden: 0 });
  const shown = await strip.getAttribute("aria-valuemax");
  await page.getByRole("heading", { name: `Last ${shown} slots`, exact: true }).waitFor();
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByRole("heading", { name: "Last 90 slots", exact: true }).waitFor();
  await expect.poll(() => strip.getAttribute("aria-valuemax")).toBe("90");
});
