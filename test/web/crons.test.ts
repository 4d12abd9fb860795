import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectAccessible, expectNoSidewaysScroll, Site } from "./site.js";

let site: Site;
beforeAll(async () => {
  site = await Site.start();
}, 180_000);
afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
});

describe("the list of crons", () => {
  test("shows what needs somebody first, each with its last slots told in words", async () => {
    const page = await site.open("/crons", { as: "maria.okafor" });
    await page.getByText("34 crons").waitFor();
    const states = await page
      .locator("tbody tr td:nth-child(2) [role=img]")
      .evaluateAll((marks) => marks.slice(0, 3).map((mark) => mark.getAttribute("aria-label")));
    expect(states.join("; ")).toMatch(/failed/);
    expect(states.join("; ")).toMatch(/Paused itself: 5 jobs in a row failed/);
    expect(states.join("; ")).toMatch(/Denied: the owner is disabled/);
    const stock = page.getByRole("row").filter({ hasText: "stock-sync" });
    expect(
      await stock.getByRole("img", { name: /Last 30 slots: \d+ completed.* skipped/ }).count(),
    ).toBe(1);
    await expectAccessible(page);
    site.expectNoFaults();
  });

  test("keeps its filters in the URL: Back undoes the last, a copied link shows the same", async () => {
    const page = await site.open("/crons", { as: "maria.okafor" });
    await page.getByText("34 crons").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("sync");
    await page.getByText("6 crons").waitFor();
    await page.getByRole("button", { name: "Failing", exact: true }).click();
    await page.getByText("No cron matches these filters").waitFor();
    expect(new URL(page.url()).search).toBe("?q=sync&state=failing");
    await page.goBack();
    await page.getByText("6 crons").waitFor();
    const copy = await site.open(new URL(page.url()).pathname + new URL(page.url()).search, {
      as: "maria.okafor",
    });
    await copy.getByText("6 crons").waitFor();
    expect(await copy.getByLabel("Search crons").inputValue()).toBe("sync");
    site.expectNoFaults();
  });

  test("of one app is what the app menu makes of it", async () => {
    const page = await site.open("/crons", { as: "maria.okafor" });
    await page.getByRole("button", { name: "App: All apps" }).click();
    await page.getByRole("menuitemradio", { name: /billing/ }).click();
    await page.getByText("6 crons").waitFor();
    expect(new URL(page.url()).searchParams.get("app")).toBe("billing");
    site.expectNoFaults();
  });

  test("reads every time by the clock that is chosen, and remembers the choice", async () => {
    const page = await site.open("/crons?q=daily-digest", { as: "maria.okafor" });
    const row = page.getByRole("row").filter({ hasText: "daily-digest" });
    await row.getByText("today 09:00").waitFor();
    await page.getByRole("button", { name: "Times: Cron's zone" }).click();
    await page.getByRole("menuitemradio", { name: "UTC" }).click();
    await row.getByText("today 14:00").waitFor();
    await page.getByRole("button", { name: "Times: UTC" }).click();
    await page.getByRole("menuitemradio", { name: /Your time/ }).click();
    await row.getByText("today 15:00").waitFor();
    expect(new URL(page.url()).searchParams.get("tz")).toBe("mine");
    await page.goto(`${site.server.url}/crons`);
    await page.waitForURL(/tz=mine/);
    site.expectNoFaults();
  });

  test("shows a reader no act, and no app but theirs", async () => {
    const page = await site.open("/crons?q=fx-rates", { as: "grace.mbeki" });
    await page.getByRole("button", { name: "More for fx-rates" }).click();
    expect(await page.getByRole("menuitem").allInnerTexts()).toEqual([
      ...["Copy as manifest", "Copy as SQL", "Copy as curl"],
    ]);
    const priya = await site.open("/crons", { as: "priya.raman" });
    await priya.getByText("6 crons").waitFor();
    expect(await priya.getByRole("link", { name: "daily-digest" }).count()).toBe(0);
    site.expectNoFaults();
  });

  test("pauses many with a note, holds still meanwhile, and resumes them", async () => {
    const page = await site.open("/crons?q=sync-", { as: "maria.okafor" });
    await page.getByText("4 crons").waitFor();
    await page.getByLabel("Select all shown").check();
    await page.getByRole("button", { name: "Paused: 4 rows selected" }).waitFor();
    await page.getByRole("button", { name: "Pause 4 crons…" }).click();
    const dialog = page.getByRole("dialog", { name: "Pause 4 crons" });
    await dialog.getByLabel("Why? (optional)").fill("freight strike");
    await expectAccessible(page);
    await dialog.getByRole("button", { name: "Pause 4 crons" }).click();
    await page.getByText("Paused 4 of 4 crons", { exact: true }).waitFor();
    const rows = await site.sql<{ note: string }[]>`
      select pause_note as note from carillon.crons where name like 'sync-%' and not enabled`;
    expect(rows.map(({ note }) => note)).toEqual(Array(4).fill("freight strike"));
    await page.getByLabel("Select all shown").check();
    await page.getByRole("button", { name: "Resume 4 crons…" }).click();
    await page.getByRole("button", { name: "Resume 4 crons", exact: true }).click();
    await page.getByText("Resumed 4 of 4 crons", { exact: true }).waitFor();
    site.expectNoFaults();
  });

  test("says what failed when the server cannot be reached, and keeps what was there", async () => {
    const page = await site.open("/crons?q=fx", { as: "maria.okafor" });
    await page.getByRole("link", { name: "fx-rates" }).waitFor();
    await page.context().route("**/api/v1/cron-summaries**", (route) => route.abort());
    await page.getByRole("button", { name: /ago|Live/ }).click();
    await page.getByRole("menuitem", { name: "Refresh now" }).click();
    await page.getByRole("button", { name: /Not updated since/ }).waitFor();
    expect(await page.getByRole("link", { name: "fx-rates" }).count()).toBe(1);
    site.expectNoFaults();
  });

  test("is cards on a phone, in the dark as well", async () => {
    for (const theme of ["light", "dark"] as const) {
      const page = await site.open("/crons", {
        as: "maria.okafor",
        width: 390,
        height: 844,
        theme,
      });
      await page.getByText("34 crons").waitFor();
      await expectNoSidewaysScroll(page);
      await expectAccessible(page);
    }
    site.expectNoFaults();
  });
});
