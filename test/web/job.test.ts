import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Caller, TestApi } from "../api/api.js";
import { forgetJobs, JobMaker } from "./jobs-support.js";
import { expectAccessible, expectNoSidewaysScroll } from "./site.js";
import { Tabs } from "./tab.js";

/** A busy machine may take its time. */
const SOON = { timeout: 15_000 };

let api: TestApi;
let tabs: Tabs;
let crm: JobMaker;
let digest: string;
let reader: Caller;

beforeAll(async () => {
  api = await TestApi.start();
  await api.install("crm");
  crm = new JobMaker(api, "crm");
  digest = await crm.cron("daily-digest");
  reader = await api.caller("reader", ["app:crm:job.read"]);
  tabs = await Tabs.start(api);
}, 180_000);
afterAll(async () => {
  await tabs[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
});

beforeEach(() => forgetJobs(api));

const path = (id: number) => `/apps/crm/jobs/${id}`;

async function running(): Promise<number> {
  const id = await crm.trigger(digest, { to: "ops" });
  await crm.claim(id);
  return id;
}

describe("the page of a job", () => {
  test("tells what it went through: each attempt, the lost lease, the error and its cause", async () => {
    const id = await crm.enqueue({ customer: "محمد <script>" }, { maxAttempts: 2, retryDelay: 0 });
    const thrown = {
      ...{ name: "FetchError", message: "ETIMEDOUT payments.example:443", stack: "at charge.js:4" },
      cause: { name: "SocketError", message: "<img src=x onerror=alert(1)> closed" },
    };
    await crm.claim(id, "w-1");
    await crm.fail(id, thrown);
    await crm.claim(id, "w-2");
    await crm.claim(id, "w-3");
    await crm.fail(id, thrown, 3);
    await using tab = await tabs.open(path(id), api.admin);
    const { page } = tab;
    await page.getByRole("heading", { level: 1, name: `Job ${id}` }).waitFor();
    await page.getByText(/^Failed after 3 attempts over/).waitFor();
    const rows = page.getByRole("list", { name: "What the job went through" }).locator("> li");
    const told = (await rows.allInnerTexts()).map((text) => text.replace(/\s+/g, " "));
    expect(told[0]).toMatch(/^Queue waited .* for its first start$/);
    expect(told[1]).toMatch(/^Attempt 1 w-1 failed after .* ETIMEDOUT payments.example:443$/);
    expect(told[2]).toMatch(/^Attempt 2 w-2 .*w-2 stopped answering; .*, then delivered again$/);
    expect(told[3]).toMatch(/^Attempt 3 w-3 failed after/);
    await page.getByText("2 of 2, and 1 lost lease, which does not count").waitFor();
    await page.getByText("Caused by SocketError").waitFor();
    await page.getByText("<img src=x onerror=alert(1)> closed").waitFor();
    await page.getByText("Stack").first().click();
    await page.getByText("at charge.js:4").waitFor();
    await page.getByText('"customer": "محمد <script>"').waitFor();
    await expectAccessible(page);
    expect(tab.faults).toEqual([]);
  });

  test("follows it from the queue to its result", async () => {
    const id = await crm.trigger(digest);
    await using tab = await tabs.open(path(id), api.admin);
    const { page } = tab;
    await page.getByText("Waiting for a worker").waitFor();
    await crm.claim(id);
    await page.getByText(/^Running for/).waitFor();
    await crm.log(id, [{ stream: "progress", percent: 64, message: "640 of 1,000" }]);
    await page.getByText("64 %").first().waitFor();
    await crm.complete(id, { mailed: 1000 });
    await page.getByText(/^Completed/).waitFor();
    await page.getByText('"mailed": 1000').waitFor();
    await page.getByRole("link", { name: "daily-digest" }).first().waitFor();
    expect(tab.faults).toEqual([]);
  });

  test("cancels a running job, with the reason, and runs it again as another", async () => {
    const id = await running();
    await using tab = await tabs.open(path(id), api.admin);
    const { page } = tab;
    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    await page.getByLabel("Why? (optional)").fill("wrong customers");
    await page.getByRole("button", { name: "Cancel job" }).click();
    await page
      .getByText(/^Canceled/)
      .first()
      .waitFor();
    await page.getByText("wrong customers").waitFor();
    await page.getByRole("button", { name: "Run again" }).click();
    const question = page.getByRole("alertdialog");
    await expectAccessible(page);
    await question.getByRole("button", { name: "Run again" }).click();
    await page.getByText(/It has been run again as/).waitFor();
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByText("Runs again").waitFor();
    expect(new URL(page.url()).pathname).not.toBe(path(id));
    await page.getByRole("link", { name: `Job ${id}` }).click();
    await page.waitForURL(`**${path(id)}`);
    expect(tab.faults).toEqual([]);
  });

  test("changes when a delayed job is due and what it is given, and points at what is wrong", async () => {
    const id = await crm.enqueue(
      { n: 1 },
      { runAt: new Date(Date.now() + 7_200_000).toISOString() },
    );
    await using tab = await tabs.open(path(id), api.admin);
    const { page } = tab;
    await page.getByText(/^Not due yet/).waitFor();
    await page.getByRole("button", { name: "Change" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Payload").fill("[1]");
    await dialog.getByRole("button", { name: "Save changes" }).click();
    await dialog.getByText("This is a list.").waitFor();
    await dialog.getByLabel("Payload").fill('{ "n": 2 }');
    await dialog.getByRole("button", { name: "Save changes" }).click();
    await page.getByText('"n": 2').waitFor();
    await page.getByText(/^Not due yet/).waitFor();
    await page.getByRole("button", { name: "Change" }).click();
    await dialog.getByRole("button", { name: "Start it now" }).click();
    await page.getByText("Waiting for a worker").waitFor();
    expect(tab.faults).toEqual([]);
  });

  test("offers a reader no act, and says which permission it would take", async () => {
    const id = await running();
    await using tab = await tabs.open(path(id), reader);
    const cancel = tab.page.getByRole("button", { name: "Cancel", exact: true });
    await cancel.waitFor();
    expect(await cancel.getAttribute("aria-disabled")).toBe("true");
    expect(await cancel.getAttribute("title")).toContain("app:crm:job.write is missing");
    await cancel.click({ force: true });
    expect(await tab.page.getByRole("dialog").count()).toBe(0);
    const stranger = await api.caller(`stranger-${id}`, ["app:other:job.read"]);
    await using other = await tabs.open(path(id), stranger);
    await other.page.getByText("You may not see this job").waitFor();
    expect(other.asked.filter((asked) => asked.includes("/jobs/"))).toEqual([]);
    expect([...tab.faults, ...other.faults]).toEqual([]);
  });

  test("says so where there is no such job", async () => {
    await using tab = await tabs.open(path(987_654), api.admin);
    await tab.page.getByText("It is not here any more").waitFor();
    await tab.page.goto(`${api.server.url}/apps/crm/jobs/none`);
    await tab.page.getByText("That is no job's id").waitFor();
  });

  test("is no wider than a phone", async () => {
    const id = await running();
    await crm.log(id, [{ message: "x".repeat(5000) }]);
    await using tab = await tabs.open(path(id), api.admin, { width: 390, height: 844, dark: true });
    await tab.page.getByText("show all 5,000 characters").waitFor();
    await expectNoSidewaysScroll(tab.page);
    await expectAccessible(tab.page);
    expect(tab.faults).toEqual([]);
  });
});

describe("the log of a job", () => {
  test("grows as it is written, as text, by one stream that ends with the job", async () => {
    const id = await running();
    await crm.log(id, [{ message: "first" }]);
    await using tab = await tabs.open(path(id), api.admin);
    const { page } = tab;
    const log = page.getByRole("log");
    await log.getByText("first").waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    await crm.log(id, [
      { message: "<b>bold</b>", level: "error", data: { to: "x@y.example" } },
      { message: `${String.fromCharCode(27)}[31mred${String.fromCharCode(27)}[0m` },
    ]);
    await log.getByText("<b>bold</b>").waitFor();
    await log.getByText('{"to":"x@y.example"}').waitFor();
    await log.getByText("red", { exact: true }).waitFor();
    await crm.complete(id);
    await page.getByText("Complete", { exact: true }).waitFor();
    await page.getByText(/— completed/).waitFor();
    const streams = tab.asked.filter((asked) => asked.includes("/logs/stream"));
    expect(streams).toEqual([`GET /api/v1/apps/crm/jobs/${id}/logs/stream?after=1`]);
    expect(tab.faults).toEqual([]);
  });

  test("rests while the page is hidden, and goes on behind its last line", async () => {
    const id = await running();
    await crm.log(id, [{ message: "before" }]);
    await using tab = await tabs.open(path(id), api.admin);
    const { page } = tab;
    await page.getByRole("log").getByText("before").waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    const show = (state: string) =>
      page.evaluate((visibility) => {
        Object.defineProperty(document, "visibilityState", {
          configurable: true,
          get: () => visibility,
        });
        document.dispatchEvent(new Event("visibilitychange"));
      }, state);
    await show("hidden");
    await page.getByText("Resting while the page is hidden").waitFor();
    await crm.log(id, [{ message: "meanwhile" }]);
    await show("visible");
    await page.getByRole("log").getByText("meanwhile").waitFor();
    expect(await page.getByRole("log").getByText("before").count()).toBe(1);
    const streams = tab.asked.filter((asked) => asked.includes("/logs/stream"));
    expect(streams.map((asked) => asked.split("?")[1])).toEqual(["after=1", "after=1"]);
  });

  test("is searched and filtered by level, all of it, and those that come after", async () => {
    const id = await running();
    await crm.logMany(id, 3000);
    await using tab = await tabs.open(path(id), api.admin);
    const { page } = tab;
    await page.getByRole("log").getByText("line 3000 of many").waitFor();
    await page.getByRole("button", { name: "error", exact: true }).click();
    await page.getByText("60 lines", { exact: true }).waitFor();
    await page.getByLabel("Search the log").fill("line 2950");
    await page.getByText("1 line", { exact: true }).waitFor();
    expect(await page.getByRole("log").locator("mark").innerText()).toBe("line 2950");
    await page.getByLabel("Search the log").fill("later");
    await page.getByText("No line matches").waitFor();
    await crm.log(id, [
      { message: "later, but fine" },
      { message: "later and bad", level: "error" },
    ]);
    await page.getByRole("log").getByText("and bad").waitFor();
    await page.getByText("1 line", { exact: true }).waitFor();
    expect(tab.faults).toEqual([]);
  });

  test("keeps only what is in sight in the page, follows its end, and lets go when one reads up", async () => {
    const id = await running();
    await crm.logMany(id, 3000);
    await using tab = await tabs.open(path(id), api.admin);
    const { page } = tab;
    const log = page.getByRole("log");
    await log.getByText("line 3000 of many").waitFor();
    expect(await log.locator("[data-index]").count()).toBeLessThan(120);
    await log.hover();
    await page.mouse.wheel(0, -400);
    const follow = page.getByRole("button", { name: "Follow" });
    await expect.poll(() => follow.getAttribute("aria-pressed"), SOON).toBe("false");
    await crm.log(id, [{ message: "new 1" }, { message: "new 2" }]);
    await page.getByRole("button", { name: "2 new lines" }).click();
    await log.getByText("new 2").waitFor();
    expect(await follow.getAttribute("aria-pressed")).toBe("true");
    await log.focus();
    await page.keyboard.press("Home");
    await expect.poll(() => follow.getAttribute("aria-pressed"), SOON).toBe("false");
    await log.getByText("line 2001 of many").waitFor();
    await page.getByRole("button", { name: "Load earlier lines" }).click();
    await page.mouse.wheel(0, -400);
    await log.getByText("line 1995 of many").waitFor();
    expect(tab.faults).toEqual([]);
  });

  test("comes as a file in each of its forms", async () => {
    const id = await running();
    await crm.log(id, [{ message: "one" }, { message: "two", level: "warn" }]);
    await crm.complete(id);
    await using tab = await tabs.open(path(id), api.admin);
    const { page } = tab;
    const texts: string[] = [];
    for (const name of ["As text", "As JSON", "As JSON, a line each"]) {
      await page.getByRole("button", { name: "Download" }).click();
      const saved = page.waitForEvent("download");
      await page.getByRole("menuitem", { name, exact: true }).click();
      const file = await saved;
      texts.push(`${file.suggestedFilename()}: ${await readFile(await file.path(), "utf8")}`);
    }
    expect(texts[0]).toMatch(/^crm-job-\d+\.txt: .*one\n.*two\n$/);
    expect(texts[1]).toMatch(/^crm-job-\d+\.json: \[/);
    expect(texts[2]?.trim().split("\n")).toHaveLength(2);
    expect(tab.faults).toEqual([]);
  });

  test("breaks off with a reason and a way to go on", async () => {
    const id = await running();
    await crm.log(id, [{ message: "first" }]);
    await using tab = await tabs.open("/jobs", api.admin);
    const { page } = tab;
    await page.route("**/logs?*", (route) => route.abort());
    await page.getByRole("link", { name: `Job ${id}` }).click();
    await page.getByText("Broken off").waitFor();
    await page.unroute("**/logs?*");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("log").getByText("first").waitFor();
  });
});
