import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectAccessible, Site } from "./site.js";

let site: Site;
beforeAll(async () => {
  site = await Site.start();
}, 180_000);
afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
});

describe("signing in", () => {
  test("by a key shows the very page that was asked for, and lasts for the tab", async () => {
    const page = await site.open("/crons?q=digest");
    await page.getByRole("heading", { name: "Sign in to Carillon" }).waitFor();
    await expectAccessible(page);
    await page.getByLabel("API key").fill(site.seeded.keys["maria.okafor"] ?? "");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("link", { name: "daily-digest", exact: true }).waitFor();
    expect(new URL(page.url()).search).toBe("?q=digest");
    await page.reload();
    await page.getByRole("link", { name: "daily-digest", exact: true }).waitFor();
    site.expectNoFaults();
  });

  test("by a key that is none says so at the field, and forgets it", async () => {
    const page = await site.open("/crons");
    await page.getByLabel("API key").fill(`crl_${"x".repeat(43)}`);
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("This key is not known here").waitFor();
    expect(await page.getByLabel("API key").getAttribute("aria-invalid")).toBe("true");
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
    site.expectNoFaults();
  });

  test("ends by Sign out: the tab knows nothing any more", async () => {
    const page = await site.open("/crons", { as: "priya.raman" });
    await page.getByRole("button", { name: "Account: priya.raman" }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in to Carillon" }).waitFor();
    expect(await page.evaluate(() => sessionStorage.getItem("carillon.key"))).toBeNull();
    site.expectNoFaults();
  });

  test("is asked for again when the key is revoked, over the page, which stays", async () => {
    const page = await site.open("/crons", { as: "priya.raman" });
    await page.getByRole("link", { name: "fx-rates" }).waitFor();
    await site.sql`
      update carillon.api_keys set revoked_at = carillon.now()
      where principal_id = (select id from carillon.principals where username = 'priya.raman')`;
    const dialog = page.getByRole("dialog", { name: "Your key is no longer valid" });
    await dialog.waitFor();
    await expectAccessible(page);
    await dialog.getByLabel("API key").fill(site.seeded.keys["maria.okafor"] ?? "");
    await dialog.getByRole("button", { name: "Sign in" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("link", { name: "fx-rates" }).waitFor();
    site.expectNoFaults();
  });
});
