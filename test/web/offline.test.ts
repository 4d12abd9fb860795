import { afterAll, beforeAll, expect, test } from "vitest";
import { expectAccessible, expectNoSidewaysScroll, Site } from "./site.js";

let site: Site;
beforeAll(async () => {
  site = await Site.empty();
  await site.api.install("crm", { crons: [{ name: "nightly", schedule: "0 3 * * *" }] });
});
afterAll(() => site?.[Symbol.asyncDispose]());

test("who loses the network is told of when the page is, keeps it, and is told no more once back", async () => {
  const page = await site.open("/crons", { as: site.api.admin });
  const cron = page.getByRole("link", { name: "nightly" });
  await cron.waitFor();
  expect(await page.getByText("You are offline.").count()).toBe(0);
  await page.context().setOffline(true);
  const told = page.getByRole("status").filter({ hasText: "You are offline." });
  await told.getByText(/Data of \d\d:\d\d\./).waitFor();
  expect(await cron.isVisible()).toBe(true);
  await expectAccessible(page);
  await page.setViewportSize({ width: 390, height: 844 });
  await expectNoSidewaysScroll(page);
  const asked = site.asked(page).length;
  await page.context().setOffline(false);
  await told.waitFor({ state: "detached" });
  // What has changed meanwhile is read by itself.
  await expect.poll(() => site.asked(page).length).toBeGreaterThan(asked);
  expect(await cron.isVisible()).toBe(true);
});
