import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Site } from "./site.js";

let site: Site;
beforeAll(async () => {
  site = await Site.start();
}, 180_000);
afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
});

const NEEDS = "Needs attention";

describe("what needs somebody", () => {
  test("is counted beside its pages, in the title and by the icon of the tab", async () => {
    const page = await site.open("/upcoming", { as: "maria.okafor" });
    const rail = page.getByRole("navigation", { name: "Pages" });
    await rail.getByRole("link", { name: "Dead letters 37 letters" }).waitFor();
    await rail.getByRole("link", { name: /^Crons \d+ failing crons$/ }).waitFor();
    const overview = rail.getByRole("link", { name: /^Overview \d+ need attention$/ });
    const causes = /(\d+)/.exec((await overview.textContent()) ?? "")?.[1];
    await expect.poll(() => page.title()).toBe(`(${causes}) Upcoming · Carillon`);
    expect(await page.locator("#icon").getAttribute("href")).toBe("/icon-alert.svg");
    await overview.click();
    const items = page.getByRole("region", { name: NEEDS }).getByRole("listitem");
    await items.first().waitFor();
    expect(String(await items.count())).toBe(causes);
  });

  test("leads on to exactly what it is about", async () => {
    const page = await site.open("/", { as: "maria.okafor" });
    const way = (name: RegExp) =>
      page.getByRole("region", { name: NEEDS }).getByRole("link", { name });
    const addresses: string[] = [];
    for (const name of [
      /^Review: 37 dead letters of warehouse/,
      /^Show jobs: No worker takes the jobs of compliance/,
      /^Show failures: analytics \/ rebuild-cube/,
      /^Show slots: warehouse \/ stock-sync/,
      /^Open: crm \/ territory-report/,
    ]) {
      await way(name).click();
      await expect.poll(() => new URL(page.url()).pathname).not.toBe("/");
      const { pathname, search } = new URL(page.url());
      addresses.push(pathname + search);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await page.goBack();
    }
    expect(addresses).toEqual([
      "/dead-letters?app=warehouse",
      "/jobs?status=queued,pending&app=compliance",
      `/jobs?status=failed&cron=${site.cron("analytics/rebuild-cube")}&app=analytics`,
      `${site.cronPath("warehouse/stock-sync")}?outcome=skipped`,
      site.cronPath("crm/territory-report"),
    ]);
  });

  test("is nothing where all is well: no number, and the usual icon", async () => {
    const page = await site.open("/?app=assistant", { as: "maria.okafor" });
    await page.getByText("Nothing needs you").waitFor();
    await expect.poll(() => page.title()).toBe("Overview · Carillon");
    await page.getByRole("link", { name: "Overview", exact: true }).waitFor();
    expect(await page.locator("#icon").getAttribute("href")).toBe("/icon.svg");
  });

  test("of apps that are somebody else's is neither shown nor counted", async () => {
    const page = await site.open("/", { as: "priya.raman" });
    await page.getByRole("link", { name: "billing / dunning-emails" }).first().waitFor();
    const rail = page.getByRole("navigation", { name: "Pages" });
    await rail.getByRole("link", { name: "Dead letters", exact: true }).waitFor();
  });
});

describe("the bar of a phone", () => {
  test("has four pages, and the others behind More", async () => {
    const page = await site.open("/", { as: "maria.okafor", width: 390, height: 844 });
    const bar = page.getByRole("navigation", { name: "Pages" });
    await bar.getByRole("link", { name: /^Crons/ }).waitFor();
    const shown = await bar.locator("li:visible").allInnerTexts();
    expect(shown.map((text) => text.split("\n").find((line) => /^[A-Z]/.test(line)))).toEqual([
      ...["Overview", "Crons", "Jobs", "Dead letters", "More"],
    ]);
    await bar.getByRole("button", { name: "More" }).click();
    await page.getByRole("menuitem", { name: "Upcoming" }).click();
    await page.getByRole("heading", { level: 1, name: "Upcoming" }).waitFor();
  });
});

describe("the keyboard", () => {
  test("is told by ?, and its single keys can be switched off", async () => {
    const page = await site.open("/crons", { as: "maria.okafor" });
    await page.getByText("34 crons").waitFor();
    await page.keyboard.press("?");
    const help = page.getByRole("dialog", { name: "Keyboard" });
    await help.getByText("search this list").waitFor();
    await help.getByRole("radio", { name: "Off" }).check();
    await page.keyboard.press("Escape");
    await help.waitFor({ state: "detached" });
    await page.keyboard.press("?");
    await page.keyboard.press("g");
    await page.keyboard.press("j");
    expect(await help.count()).toBe(0);
    expect(new URL(page.url()).pathname).toBe("/crons");
    await page.keyboard.press("Control+k");
    await page.getByLabel("Go to a page, a cron or a job").waitFor();
  });
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
    await attention.getByRole("link", { name: "billing / dunning-emails" }).first().click();
    await page.getByRole("heading", { name: "dunning-emails", level: 1 }).waitFor();
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
    await page.getByRole("link", { name: /^Overview/ }).click();
    const attention = page.getByRole("region", { name: "Needs attention" });
    await attention.getByRole("alert").getByText("it took too long").waitFor();
    await page.getByRole("region", { name: "Running now" }).getByText("64 %").waitFor();
    await page.context().unroute(broken);
    await attention.getByRole("button", { name: "Try again" }).click();
    await attention.getByText("dunning-emails").first().waitFor();
  });

  test("holds only what is whoever's it is who looks", async () => {
    const page = await site.open("/", { as: "priya.raman" });
    await page.getByRole("link", { name: "billing / dunning-emails" }).first().waitFor();
    const text = await page.getByRole("main").innerText();
    expect(text).not.toMatch(/warehouse|analytics|crm/);
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
    await page.getByRole("button", { name: "Next 7 days" }).click();
    await page.waitForURL(/window=7d/);
    await page.getByRole("region", { name: "Next 7 days" }).waitFor();
  });

  test("says when nothing is, and what comes next", async () => {
    const page = await site.open("/upcoming?app=assistant", { as: "maria.okafor" });
    await page.getByText("Nothing is due in the next hour").waitFor();
    await page.getByRole("button", { name: "Next 24 hours" }).click();
    await page.getByRole("link", { name: "morning-brief" }).waitFor();
  });

  test("holds only the crons that one may read", async () => {
    const page = await site.open("/upcoming", { as: "priya.raman" });
    await page.getByRole("table", { name: "Crons by their next slot" }).waitFor();
    expect(await page.getByRole("main").innerText()).not.toMatch(/warehouse|crm/);
  });
});
