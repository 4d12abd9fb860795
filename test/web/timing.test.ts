import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectAccessible, expectNoSidewaysScroll, Site } from "./site.js";

let site: Site;
beforeAll(async () => {
  site = await Site.start();
}, 180_000);
afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
});

const timing = (name: string) => `${site.cronPath(name)}?tab=timing`;

describe("the timing of a cron", () => {
  test("is charts of how long, how late and how soon, each walked by the arrow keys", async () => {
    const page = await site.open(timing("warehouse/stock-sync"), { as: "maria.okafor" });
    await page.getByText(/jobs ended, .* well: half ran up to .* 95 % up to/).waitFor();
    await page
      .getByText("It is due every 5 min: where one takes longer, slots are skipped.")
      .waitFor();
    for (const label of ["How long its jobs ran, over time", "Lag over time", "Wait over time"]) {
      const chart = page.getByRole("slider", { name: label });
      await chart.focus();
      await page.keyboard.press("End");
      await page.keyboard.press("ArrowLeft");
      const text = (await chart.getAttribute("aria-valuetext")) ?? "";
      expect(text).toMatch(/^today \d\d:\d\d · (p50 .+, p95 .+ of \d+ jobs?|no job)/);
      expect(await page.getByText(text, { exact: true }).count()).toBeGreaterThan(0);
    }
    await expectAccessible(page);
    site.expectNoFaults();
  });

  test("has its numbers as a table, the same as the charts", async () => {
    const page = await site.open(`${timing("billing/sync-ledger")}&range=1d`, {
      as: "maria.okafor",
    });
    const chart = page.getByRole("slider", { name: "How long its jobs ran, over time" });
    await chart.focus();
    await page.keyboard.press("Home");
    const texts: string[] = [];
    for (let n = 0; n < 96; n += 1) {
      texts.push((await chart.getAttribute("aria-valuetext")) ?? "");
      await page.keyboard.press("ArrowRight");
    }
    const told = texts.filter((text) => text.includes("p50")).reverse();
    expect(told.length).toBeGreaterThan(20);
    await page.getByText("Show as a table").click();
    const rows = page.getByRole("table", { name: /How its jobs ran/ }).locator("tbody tr");
    const cells = await rows.evaluateAll((found) =>
      found.map((row) => [...row.querySelectorAll("td")].map((cell) => cell.textContent)),
    );
    const same = cells.map(([from, , , , p50, p95]) => `${from} · p50 ${p50}, p95 ${p95}`);
    expect(same).toEqual(told.map((text) => text.replace(/ of \d+ job.*$/, "")));
    site.expectNoFaults();
  });

  test("reaches back as far as is chosen, in the URL, by the clock that is chosen", async () => {
    const page = await site.open(timing("crm/daily-digest"), { as: "maria.okafor" });
    const window = page.getByLabel("Window");
    // Once a day: a year of it.
    await page.getByText("By how often it fires (a year)").waitFor({ state: "attached" });
    const [asked] = await Promise.all([
      page.waitForRequest((request) => request.url().includes("/stats?")),
      window.selectOption("90d"),
    ]);
    const query = new URL(asked.url()).searchParams;
    expect(query.get("timezone")).toBe("America/New_York");
    expect(query.get("bucket")).toBe("1d");
    expect(query.get("from")).toBe("2026-08-25T13:55:48.000Z");
    expect(new URL(page.url()).search).toBe("?tab=timing&range=90d");
    await page.goBack();
    await expect.poll(() => window.inputValue()).toBe("auto");
    const link = await site.open(`${timing("crm/daily-digest")}&range=30d&tz=utc`, {
      as: "maria.okafor",
    });
    await link.getByText("Times of UTC.").waitFor();
    expect(await link.getByLabel("Window").inputValue()).toBe("30d");
    site.expectNoFaults();
  });

  test("says where there is none", async () => {
    const page = await site.open(timing("warehouse/cutover-2027"), { as: "maria.okafor" });
    await page.getByText("No job of this cron ended in the last 7 days").waitFor();
    await expectAccessible(page);
    site.expectNoFaults();
  });

  test("says when the server cannot tell, and tries again", async () => {
    const page = await site.open(site.cronPath("crm/lead-sync"), { as: "maria.okafor" });
    await page.context().route("**/stats?**", (route) =>
      route.fulfill({
        ...{ status: 500, contentType: "application/problem+json" },
        body: JSON.stringify({ title: "Internal", status: 500, code: "internal_error" }),
      }),
    );
    await page.getByRole("tab", { name: "Timing" }).click();
    await page.getByText("Something went wrong on the server").waitFor();
    await page.context().unroute("**/stats?**");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("slider", { name: "Lag over time" }).waitFor();
    site.expectNoFaults();
  });

  test("fits a phone, in the dark as well", { timeout: 60_000 }, async () => {
    for (const theme of ["light", "dark"] as const) {
      const page = await site.open(timing("billing/charge-renewals"), {
        ...{ as: "maria.okafor", width: 390, height: 844, theme },
      });
      await page.getByRole("slider", { name: "Wait over time" }).waitFor();
      await expectNoSidewaysScroll(page);
      await expectAccessible(page);
    }
    site.expectNoFaults();
  });
});

test("who may not see jobs is offered no timing of them, and an old link shows the ledger", async () => {
  await using web = await Site.empty();
  await web.api.install("crm", { crons: [{ name: "nightly", schedule: "0 3 * * *" }] });
  const reader = await web.api.caller("reader", ["app:crm:cron.read"]);
  const { body } = await web.api.as(web.api.admin, "GET", "/api/v1/apps/crm/crons");
  const [cron] = body as { id: string }[];
  const page = await web.open(`/crons/crm/${cron?.id}?tab=timing`, { as: reader });
  await page.getByText("No slot decided yet").first().waitFor();
  expect(await page.getByRole("tab").allInnerTexts()).toEqual([
    ...["Ledger", "Calendar", "pg_cron runs", "Configuration"],
  ]);
});
