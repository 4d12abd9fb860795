import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectAccessible, expectNoSidewaysScroll, Site } from "./site.js";

let site: Site;
beforeAll(async () => {
  site = await Site.start();
}, 180_000);
afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
});

describe("the page of a cron", () => {
  test("says what matters in one sentence, and each slot's reason in its row", async () => {
    const page = await site.open(site.cronPath("warehouse/stock-sync"), { as: "maria.okafor" });
    await page.getByRole("heading", { name: "stock-sync", level: 1 }).waitFor();
    await page
      .getByText(/Next slot/)
      .first()
      .waitFor();
    const ledger = page.getByRole("table", { name: /Ledger of stock-sync/ });
    const skipped = ledger.getByRole("row").filter({ hasText: "skipped" }).first();
    await skipped.getByText("a job of this cron is still queued or running").waitFor();
    expect(await ledger.getByRole("row").filter({ hasText: "next slot" }).count()).toBe(1);
    await expectAccessible(page);
    site.expectNoFaults();
  });

  test("tells its strip slot by slot to whoever walks it by the arrow keys", async () => {
    const page = await site.open(site.cronPath("billing/dunning-emails"), { as: "maria.okafor" });
    const strip = page.getByRole("slider", { name: "Slots, oldest to newest" });
    await page.getByRole("row").filter({ hasText: "550 mailbox unavailable" }).first().waitFor();
    await strip.focus();
    expect(await strip.getAttribute("aria-valuetext")).toMatch(
      / · failed in \d+ s · decided .* after due$/,
    );
    await page.keyboard.press("Home");
    expect(await strip.getAttribute("aria-valuetext")).toMatch(/ · completed in /);
    site.expectNoFaults();
  });

  test("narrows its ledger to outcomes, in the URL", async () => {
    const page = await site.open(site.cronPath("crm/lead-sync"), { as: "maria.okafor" });
    await page
      .getByRole("group", { name: "Outcomes" })
      .getByRole("button", { name: "missed" })
      .click();
    await page.getByText(/9 slots/).waitFor();
    expect(new URL(page.url()).searchParams.get("outcome")).toBe("missed");
    await page.getByRole("button", { name: "9 slots" }).click();
    const missed = page.getByRole("row").filter({ hasText: "missed" });
    expect(await missed.count()).toBe(10);
    site.expectNoFaults();
  });

  test("has tabs in its URL, by arrows, with who changed what and why", async () => {
    const page = await site.open(`${site.cronPath("crm/daily-digest")}?tab=audit`, {
      as: "maria.okafor",
    });
    const change = page.getByRole("row").filter({ hasText: "sales starts at nine since the move" });
    await change.getByText("maria.okafor").waitFor();
    expect(await change.locator("del").first().innerText()).toContain("0 8 * * 1-5");
    await expectAccessible(page);
    await page.getByRole("tab", { name: "Audit" }).focus();
    await page.keyboard.press("ArrowLeft");
    await page.getByRole("heading", { name: "Next 10 slots" }).waitFor();
    expect(new URL(page.url()).searchParams.get("tab")).toBe("configuration");
    await expectAccessible(page);
    site.expectNoFaults();
  });

  test("shows its year as days, each told by the worst that happened on it", async () => {
    const page = await site.open(`${site.cronPath("billing/sync-ledger")}?tab=calendar`, {
      as: "maria.okafor",
    });
    const days = page.getByRole("slider", { name: "Days of the last year" });
    await days.focus();
    await page.keyboard.press("End");
    expect(await days.getAttribute("aria-valuetext")).toMatch(/^Mon 23 Nov 2026: 1\d completed/);
    await page.keyboard.press("ArrowLeft");
    expect(await days.getAttribute("aria-valuetext")).toMatch(/^Mon 16 Nov 2026: 2\d completed/);
    await expectAccessible(page);
    await page.getByText("Show as a table").click();
    const upgrade = page.getByRole("row").filter({ hasText: "2026-11-10" });
    await upgrade.getByText("completed").waitFor();
    site.expectNoFaults();
  });

  test("shows what is in a payload as text, whatever it is", async () => {
    await site.sql`
      update carillon.crons set payload = ${site.sql.json({ html: "<img src=x onerror=alert(1)>" })}
      where id = ${site.cron("shop/sitemap")}`;
    const page = await site.open(`${site.cronPath("shop/sitemap")}?tab=configuration`, {
      as: "maria.okafor",
    });
    await page
      .getByLabel("the payload", { exact: true })
      .getByText("<img src=x onerror=alert(1)>")
      .waitFor();
    expect(await page.locator("main img").count()).toBe(0);
    site.expectNoFaults();
  });

  test("runs it once with another payload, after saying where the JSON is broken", async () => {
    const page = await site.open(site.cronPath("billing/fx-rates"), { as: "priya.raman" });
    await page.getByRole("button", { name: "Run now" }).click();
    const dialog = page.getByRole("dialog", { name: "Run fx-rates now" });
    const payload = dialog.getByLabel("Payload for this once");
    await payload.fill('{\n  "method": "fxRates"\n  "only": "USD"\n}');
    await dialog.getByRole("button", { name: "Run once" }).click();
    await dialog
      .getByRole("alert")
      .getByText(/^Line 3, column 3: /)
      .waitFor();
    await expectAccessible(page);
    await payload.fill("[1]");
    await dialog.getByRole("button", { name: "Run once" }).click();
    await dialog.getByText("This is a list.").waitFor();
    await payload.fill('{ "method": "fxRates", "only": "USD" }');
    await dialog.getByRole("button", { name: "Run once" }).click();
    await page.getByText(/fx-rates runs as job \d+/).waitFor();
    const [job] = await site.sql<{ message: { payload: object } }[]>`
      select message from pgmq.q_jobs order by msg_id desc limit 1`;
    expect(job?.message.payload).toMatchObject({ method: "fxRates", only: "USD" });
    site.expectNoFaults();
  });

  test("pauses with a reason that stands on the page, and resumes", async () => {
    const page = await site.open(site.cronPath("crm/cleanup-drafts"), { as: "maria.okafor" });
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "Pause cleanup-drafts" });
    await dialog.getByLabel("Why? (optional)").fill("until the migration is through");
    await page.keyboard.press("Enter");
    await page.getByText("until the migration is through", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByText("Resumed cleanup-drafts").waitFor();
    await page.getByRole("button", { name: "Pause", exact: true }).waitFor();
    site.expectNoFaults();
  });

  test("deletes only after saying what that means, and goes back to the list", async () => {
    const page = await site.open(site.cronPath("mail/nightly-digest"), { as: "maria.okafor" });
    await page.getByRole("button", { name: "More for nightly-digest" }).click();
    await page.getByRole("menuitem", { name: "Delete…" }).click();
    const dialog = page.getByRole("alertdialog", { name: "Delete nightly-digest?" });
    await dialog.getByText("all later ones will not fire").waitFor();
    const cancel = dialog.getByRole("button", { name: "Cancel" });
    await expect.poll(() => cancel.evaluate((one) => one === document.activeElement)).toBe(true);
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    expect((await site.sql`select from carillon.crons where name = 'nightly-digest'`).length).toBe(
      1,
    );
    await page.getByRole("button", { name: "More for nightly-digest" }).click();
    await page.getByRole("menuitem", { name: "Delete…" }).click();
    await dialog.getByRole("button", { name: "Delete cron" }).click();
    await page.getByText("Deleted nightly-digest").waitFor();
    await page.waitForURL(/\/crons$/);
    expect((await site.sql`select from carillon.crons where name = 'nightly-digest'`).length).toBe(
      0,
    );
    site.expectNoFaults();
  });

  test("says in the dialog why the server refused, and leaves it open", async () => {
    const page = await site.open(site.cronPath("shop/cart-reminders"), { as: "maria.okafor" });
    await page.getByRole("button", { name: "More for cart-reminders" }).click();
    await page.getByRole("menuitem", { name: "Delete…" }).click();
    // Meanwhile somebody else changes it.
    await site.sql`update carillon.crons set version = version + 1 where name = 'cart-reminders'`;
    const dialog = page.getByRole("alertdialog");
    await dialog.getByRole("button", { name: "Delete cron" }).click();
    await dialog.getByRole("alert").waitFor();
    expect((await site.sql`select from carillon.crons where name = 'cart-reminders'`).length).toBe(
      1,
    );
    site.expectNoFaults();
  });

  test("shows everything that it is set to, its target too", async () => {
    const page = await site.open(`${site.cronPath("shop/price-feed-tokyo")}?tab=configuration`, {
      as: "jonas.lindqvist",
    });
    const settings = page.getByRole("region", { name: "Settings" });
    await settings.getByText("maria.okafor").waitFor();
    const facts = await settings
      .locator("dl > div")
      .evaluateAll((all) =>
        all.map((one) => [
          one.querySelector("dt")?.textContent,
          one.querySelector("dd")?.textContent,
        ]),
      );
    expect(Object.fromEntries(facts)).toMatchObject({
      ...{ Schedule: "0 9 * * *", "Time zone": "Asia/Tokyo", "Goes to": "an HTTP target" },
      ...{
        Attempts: "3",
        "First retry after": "10 s (default)",
        Timeout: "the worker's (default)",
      },
      ...{ "Then each time": "2 × longer (default)", "Gives up waiting after": "1 h" },
      ...{ "Jobs at once": "no limit of its own (default)", Tags: "prices, tokyo" },
      ...{ Starts: "at once (default)", Ends: "never (default)", Owner: "maria.okafor" },
    });
    const target = page.getByRole("region", { name: "Target: HTTP" });
    await target.getByText("https://feed.larkfield.example/prices/tokyo").waitFor();
    // By name alone: what the secret is nobody is told.
    await target.getByText("Bearer {{secret.FEED_KEY}}").waitFor();
    site.expectNoFaults();
  });

  test("tells a reader which permission an act would need", async () => {
    const page = await site.open(site.cronPath("billing/fx-rates"), { as: "grace.mbeki" });
    const run = page.getByRole("button", { name: "Run now" });
    await run.waitFor();
    expect(await run.getAttribute("aria-disabled")).toBe("true");
    expect(await run.getAttribute("title")).toContain("app:billing:cron.trigger is missing");
    await run.click({ force: true });
    expect(await page.getByRole("dialog").count()).toBe(0);
    site.expectNoFaults();
  });

  test("that is another's, or gone, says so and nothing else", async () => {
    const page = await site.open(site.cronPath("crm/daily-digest"), { as: "priya.raman" });
    await page.getByText("You may not do that").waitFor();
    await page.getByText("app:crm:cron.read").first().waitFor();
    const gone = await site.open("/crons/crm/00000000-0000-4000-8000-000000000000", {
      as: "maria.okafor",
    });
    await gone.getByText("It is not here any more").waitFor();
    await expectAccessible(gone);
    site.expectNoFaults();
  });

  test("fits a phone, in the dark as well", async () => {
    for (const theme of ["light", "dark"] as const) {
      const page = await site.open(site.cronPath("billing/charge-renewals"), {
        ...{ as: "maria.okafor", width: 390, height: 844, theme },
      });
      await page.getByRole("table", { name: /Ledger/ }).waitFor();
      await expectNoSidewaysScroll(page);
      await expectAccessible(page);
    }
    site.expectNoFaults();
  });
});
