import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectAccessible, expectNoSidewaysScroll, Site } from "./site.js";

let site: Site;
beforeAll(async () => {
  site = await Site.start();
}, 180_000);
afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
});

describe("the overview", () => {
  test("begins with what needs somebody, leads there, and shows the hour, the day and the present", async () => {
    const page = await site.open("/", { as: "maria.okafor" });
    const attention = page.getByRole("region", { name: "Needs attention" });
    await attention.getByRole("link", { name: "billing / dunning-emails" }).first().waitFor();
    await page.getByRole("region", { name: "Next hour" }).getByRole("slider").waitFor();
    await page
      .getByRole("region", { name: "Running now" })
      .getByText("64 % · aggregating week 46")
      .waitFor();
    await page
      .getByRole("region", { name: "Last 24 hours" })
      .getByText("completed")
      .first()
      .waitFor();
    await page.getByText(/compliance.*9 jobs waiting/).waitFor();
    await expectAccessible(page);
    await attention.getByRole("link", { name: "billing / dunning-emails" }).first().click();
    await page.getByRole("heading", { name: "dunning-emails", level: 1 }).waitFor();
    site.expectNoFaults();
  });

  test("tells its columns to whoever walks them by the arrow keys", async () => {
    const page = await site.open("/", { as: "maria.okafor" });
    const hour = page.getByRole("region", { name: "Next hour" }).getByRole("slider");
    await hour.focus();
    await page.keyboard.press("Home");
    for (let at = 0; at < 4; at++) await page.keyboard.press("ArrowRight");
    expect(await hour.getAttribute("aria-valuetext")).toMatch(
      /^today 14:59: 8 slots \(dock-scan ×6, label-print ×2\)$/,
    );
    const day = page.getByRole("slider", { name: "Last 24 hours, by hour" });
    await day.focus();
    await page.keyboard.press("ArrowLeft");
    expect(await day.getAttribute("aria-valuetext")).toMatch(/today .* · [\d,]+ completed/);
    site.expectNoFaults();
  });

  test("loses one block alone when its query fails, and gets it back by Try again", async () => {
    const page = await site.open("/crons", { as: "maria.okafor" });
    const broken = "**/api/v1/attention**";
    await page.context().route(broken, (route) =>
      route.fulfill({
        status: 504,
        contentType: "application/problem+json",
        body: JSON.stringify({ code: "timeout", detail: "no result within 30 s" }),
      }),
    );
    await page.getByRole("link", { name: "Overview", exact: true }).click();
    const attention = page.getByRole("region", { name: "Needs attention" });
    await attention.getByRole("alert").getByText("it took too long").waitFor();
    await page.getByRole("region", { name: "Running now" }).getByText("64 %").waitFor();
    await page.context().unroute(broken);
    await attention.getByRole("button", { name: "Try again" }).click();
    await attention.getByText("dunning-emails").first().waitFor();
    site.expectNoFaults();
  });

  test("holds only what is whoever's it is who looks", async () => {
    const page = await site.open("/", { as: "priya.raman" });
    await page.getByRole("link", { name: "billing / dunning-emails" }).first().waitFor();
    const text = await page.getByRole("main").innerText();
    expect(text).not.toMatch(/warehouse|analytics|crm/);
    site.expectNoFaults();
  });

  test("fits a phone, in the dark as well", async () => {
    for (const theme of ["light", "dark"] as const) {
      const page = await site.open("/", { as: "maria.okafor", width: 390, height: 844, theme });
      await page.getByText("64 %").waitFor();
      await expectNoSidewaysScroll(page);
      await expectAccessible(page);
    }
    site.expectNoFaults();
  });
});

describe("what is upcoming", () => {
  test("is told by columns, by what falls together, and cron by cron", async () => {
    const page = await site.open("/upcoming", { as: "maria.okafor" });
    await page.getByRole("table", { name: "Crons by their next slot" }).waitFor();
    await page
      .getByRole("region", { name: "Falls together" })
      .getByRole("link", { name: "sync-contacts" })
      .waitFor();
    await expectAccessible(page);
    await page.getByRole("button", { name: "Next 7 days" }).click();
    await page.waitForURL(/window=7d/);
    await page.getByRole("region", { name: "Next 7 days" }).waitFor();
    site.expectNoFaults();
  });

  test("says when nothing is, and what comes next", async () => {
    const page = await site.open("/upcoming?app=assistant", { as: "maria.okafor" });
    await page.getByText("Nothing is due in the next hour").waitFor();
    await page.getByRole("button", { name: "Next 24 hours" }).click();
    await page.getByRole("link", { name: "morning-brief" }).waitFor();
    site.expectNoFaults();
  });

  test("holds only the crons that one may read", async () => {
    const page = await site.open("/upcoming", { as: "priya.raman" });
    await page.getByRole("table", { name: "Crons by their next slot" }).waitFor();
    expect(await page.getByRole("main").innerText()).not.toMatch(/warehouse|crm/);
    await expectNoSidewaysScroll(page);
    site.expectNoFaults();
  });
});
