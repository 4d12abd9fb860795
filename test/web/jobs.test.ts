import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Caller, TestApi } from "../api/api.js";
import { forgetJobs, JobMaker } from "./jobs-support.js";
import { expectAccessible, expectNoSidewaysScroll, Site } from "./site.js";

/** A busy machine may take its time. */
const SOON = { timeout: 15_000 };

let api: TestApi;
let site: Site;
let crm: JobMaker;
let billing: JobMaker;
let digest: string;
/** Reads the jobs of crm, and nothing else. */
let reader: Caller;

beforeAll(async () => {
  site = await Site.empty();
  api = site.api;
  for (const app of ["crm", "billing", "empty"]) await api.install(app);
  [crm, billing] = [new JobMaker(api, "crm"), new JobMaker(api, "billing")];
  digest = await crm.cron("daily-digest");
  reader = await api.caller("reader", ["app:crm:job.read"]);
}, 180_000);
afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
});
beforeEach(() => forgetJobs(api));

const row = (page: Page, id: number) =>
  page.getByRole("row").filter({ has: page.getByRole("link", { name: `Job ${id}` }) });
const ids = (page: Page) =>
  page
    .locator("tbody td a[aria-label^='Job ']")
    .evaluateAll((links) => links.map((link) => Number(link.getAttribute("aria-label")?.slice(4))));
const statusOf = async (app: string, id: number) => {
  const { body } = await api.as(api.admin, "GET", `/api/v1/apps/${app}/jobs/${id}`);
  return (body as { status: string }).status;
};

describe("the list of jobs", () => {
  test("shows those of all apps, newest first, with what happened to each", async () => {
    const done = await crm.trigger(digest);
    await crm.claim(done);
    await crm.complete(done);
    const broken = await billing.enqueue({}, { maxAttempts: 2, retryDelay: 0, tags: ["eu"] });
    await billing.claim(broken, "bill-01");
    await billing.fail(broken, { name: "Error", message: "<b>card</b> declined\nsecond line" });
    await billing.claim(broken, "bill-02");
    await billing.fail(broken, { name: "Error", message: "<b>card</b> declined" }, 2);
    const waiting = await crm.enqueue();
    const page = await site.open("/jobs", { as: api.admin });
    await row(page, waiting).getByText("queued").waitFor();
    expect(await ids(page)).toEqual([waiting, broken, done]);
    const text = await row(page, broken).innerText();
    expect(text).toContain("failed");
    expect(text).toContain("<b>card</b> declined");
    expect(text).toContain("2 / 2");
    expect(text).toContain("bill-02");
    await row(page, done).getByRole("link", { name: "daily-digest" }).waitFor();
    await expectAccessible(page);
  });

  test("moves by itself: a job that starts and ends says so", async () => {
    const id = await crm.enqueue();
    const page = await site.open("/jobs", { as: api.admin });
    await row(page, id).getByText("queued").waitFor();
    await crm.claim(id);
    await row(page, id).getByText("running").waitFor();
    await crm.complete(id);
    await row(page, id).getByText("completed").waitFor();
  });

  test("keeps its filters in the URL: Back undoes the last, a copied link shows the same", async () => {
    const tagged = await crm.enqueue({}, { tags: ["eu"] });
    const failed = await crm.enqueue({}, { tags: ["eu"] });
    await crm.claim(failed);
    await crm.fail(failed, { name: "Error", message: "no" });
    await crm.trigger(digest);
    const page = await site.open("/jobs", { as: api.admin });
    await page.getByLabel("Tag").fill("eu");
    await row(page, tagged).waitFor();
    await expect.poll(() => ids(page), SOON).toEqual([failed, tagged]);
    await page.getByRole("button", { name: /^Failed/ }).click();
    await expect.poll(() => ids(page), SOON).toEqual([failed]);
    const { pathname, search } = new URL(page.url());
    expect(search).toBe("?status=failed&tag=eu");
    await page.goBack();
    await expect.poll(() => ids(page), SOON).toEqual([failed, tagged]);
    const copy = await site.open(pathname + search, { as: api.admin });
    await expect.poll(() => ids(copy), SOON).toEqual([failed]);
    await copy.getByRole("button", { name: "Canceled" }).click();
    await copy.getByRole("button", { name: /^Failed/ }).click();
    await copy.getByText("No job matches these filters").waitFor();
    await copy.getByRole("button", { name: "Clear the filters" }).click();
    await expect.poll(async () => (await ids(copy)).length, SOON).toBe(3);
  });

  test("counts each status across apps, by the other filters, and as it moves", async () => {
    await crm.enqueue({}, { tags: ["eu"] });
    await billing.enqueue();
    const ends = await crm.enqueue();
    await crm.claim(ends);
    const page = await site.open("/jobs", { as: api.admin });
    const tab = (name: string) =>
      page
        .getByRole("group", { name: "Statuses" })
        .getByRole("button", { name: new RegExp(`^${name}`) });
    const text = async (name: string) => (await tab(name).innerText()).replace(/\s+/g, " ").trim();
    await expect.poll(() => text("Queued"), SOON).toBe("Queued 2");
    expect(await text("Running")).toBe("Running 1");
    expect(await text("Failed")).toBe("Failed 0");
    // Those of the status that is chosen, and of the others all the same.
    await tab("Running").click();
    await expect.poll(() => ids(page), SOON).toEqual([ends]);
    expect(await text("Queued")).toBe("Queued 2");
    await page.getByLabel("Tag").fill("eu");
    await expect.poll(() => text("Queued"), SOON).toBe("Queued 1");
    await expect.poll(() => text("Running"), SOON).toBe("Running 0");
  });

  test("of one cron is chosen by its name, and so is its app", async () => {
    const wanted = await crm.trigger(digest);
    await billing.enqueue();
    const page = await site.open("/jobs", { as: api.admin });
    await page.getByRole("button", { name: "Of a cron…" }).click();
    await page.getByLabel("Search crons").fill("digest");
    await page
      .getByRole("dialog")
      .getByRole("button", { name: /daily-digest/ })
      .click();
    await expect.poll(() => ids(page), SOON).toEqual([wanted]);
    expect(new URL(page.url()).searchParams.get("app")).toBe("crm");
    await page.getByText("Cron: daily-digest").waitFor();
    await page.getByRole("button", { name: "Remove the filter: cron daily-digest" }).click();
    await expect.poll(() => new URL(page.url()).search, SOON).toBe("?app=crm");
  });

  test("reads on from page to page, across apps, without a job twice", async () => {
    for (let n = 0; n < 60; n++) await (n % 3 === 0 ? billing : crm).enqueue();
    const page = await site.open("/jobs", { as: api.admin });
    await expect.poll(async () => (await ids(page)).length, SOON).toBe(50);
    await page.getByRole("button", { name: "Show more jobs" }).click();
    await expect.poll(async () => (await ids(page)).length, SOON).toBe(60);
    const all = await ids(page);
    expect(all).toEqual([...new Set(all)].sort((a, b) => b - a));
  });

  test("does not push away what is read: new jobs are counted, and shown when asked for", async () => {
    for (let n = 0; n < 40; n++) await crm.enqueue();
    const page = await site.open("/jobs", { as: api.admin });
    await expect.poll(async () => (await ids(page)).length, SOON).toBe(40);
    await page.locator("#main").evaluate((main) => main.scrollTo({ top: 600 }));
    const before = await ids(page);
    await crm.enqueue();
    const newest = await crm.enqueue();
    await page.getByRole("button", { name: "2 new jobs · Show" }).click();
    await row(page, newest).waitFor();
    expect((await ids(page)).slice(2)).toEqual(before);
    expect(await page.locator("#main").evaluate((main) => main.scrollTop)).toBe(0);
  });

  test("stands still while rows are selected", async () => {
    const id = await crm.enqueue();
    const page = await site.open("/jobs", { as: api.admin });
    await page.getByLabel(`Select job ${id}`).check();
    await page.getByText("Paused: 1 row selected").waitFor();
    const asked = site.asked(page).length;
    const other = await crm.enqueue();
    await new Promise((resolve) => setTimeout(resolve, 4000));
    expect(site.asked(page).length).toBe(asked);
    await page.getByRole("button", { name: "Clear", exact: true }).click();
    await row(page, other).waitFor();
  });

  test("says what is missing, where, and keeps what was there when the server fails", async () => {
    const id = await crm.enqueue();
    const page = await site.open("/jobs", { as: api.admin });
    await row(page, id).waitFor();
    await page.route("**/api/v1/apps/*/jobs?*", (route) =>
      route.fulfill({
        status: 503,
        contentType: "application/problem+json",
        body: JSON.stringify({ status: 503, title: "Unavailable", code: "unavailable" }),
      }),
    );
    await page.getByText(/Not updated since/).waitFor();
    expect(await row(page, id).count()).toBe(1);
    await page.getByRole("button", { name: "Running" }).click();
    await page.unroute("**/api/v1/apps/*/jobs?*");
    await page.getByRole("button", { name: "Running" }).click();
    await row(page, id).waitFor();
  });

  test("is no wider than a phone, and a card there is all of a job", async () => {
    const id = await billing.enqueue({}, { tags: ["a-tag-that-is-as-long-as-it-may-be-nearly"] });
    const page = await site.open("/jobs", {
      as: api.admin,
      width: 390,
      height: 844,
      theme: "dark",
    });
    await row(page, id).waitFor();
    await expectNoSidewaysScroll(page);
    await expectAccessible(page);
  });
});

describe("many at once", () => {
  test("selected jobs are canceled after being counted by the server", async () => {
    const [one, two] = [await crm.enqueue(), await billing.enqueue()];
    const left = await crm.enqueue();
    const page = await site.open("/jobs", { as: api.admin });
    await page.getByLabel(`Select job ${one}`).check();
    await page.getByLabel(`Select job ${two}`).check();
    await page.getByRole("button", { name: "Cancel 2 jobs…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("list", { name: "What is meant" }).getByText("queued").waitFor();
    await expectAccessible(page);
    await dialog.getByLabel("Why? (optional)").fill("wrong prices");
    await dialog.getByRole("button", { name: "Cancel 2 jobs" }).click();
    await page.getByText("Canceled 2 jobs").waitFor();
    await row(page, one).getByText("wrong prices").waitFor();
    expect(await statusOf("billing", two)).toBe("canceled");
    expect(await statusOf("crm", left)).toBe("queued");
  });

  test("all that match run again, those that did already passed over", async () => {
    const failed: number[] = [];
    for (let n = 0; n < 3; n++) {
      const id = await crm.enqueue();
      await crm.claim(id);
      await crm.fail(id, { name: "Error", message: "no" });
      failed.push(id);
    }
    await api.as(api.admin, "POST", `/api/v1/apps/crm/jobs/${failed[0]}/retry`);
    const page = await site.open("/jobs?app=crm", { as: api.admin });
    await page.getByRole("button", { name: "Run all failed ones again…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("1 job of them ran again already: passed over.").waitFor();
    await dialog.getByRole("button", { name: "Run again 2 jobs" }).click();
    await page.getByText("Ran again 2 jobs").waitFor();
    await expect.poll(async () => (await ids(page)).length, SOON).toBe(6);
  });

  test("is not offered to those who may only look", async () => {
    const id = await crm.enqueue();
    const page = await site.open("/jobs", { as: reader });
    await page.getByLabel(`Select job ${id}`).check();
    await page.getByText("You may only look at them: job.write is missing.").waitFor();
    expect(await page.getByRole("button", { name: /^Cancel \d|again…/ }).count()).toBe(0);
    expect(await page.getByRole("button", { name: "Enqueue a job" }).count()).toBe(0);
  });
});

describe("who may see nothing, or has nothing", () => {
  test("is told which permission is missing", async () => {
    const page = await site.open("/jobs?app=billing", { as: reader });
    await page.getByText("You may not see the jobs of billing").waitFor();
    await page.getByText("app:billing:job.read").waitFor();
  });

  test("is told where jobs come from", async () => {
    const page = await site.open("/jobs?app=empty", { as: api.admin });
    await page.getByText("No jobs yet").waitFor();
    await expectAccessible(page);
  });
});

describe("enqueuing a job", () => {
  test("points at what is wrong with its payload, and makes it once it is right", async () => {
    const page = await site.open("/jobs?app=crm", { as: api.admin });
    await page.getByRole("button", { name: "Enqueue a job" }).click();
    const dialog = page.getByRole("dialog", { name: "Enqueue a job" });
    const payload = dialog.getByLabel("Payload");
    await payload.fill('{\n  "to": "ops"\n  "n": 1\n}');
    await dialog.getByRole("button", { name: "Enqueue job" }).click();
    await dialog.getByText(/^Line 3, column 3/).waitFor();
    expect(await payload.getAttribute("aria-invalid")).toBe("true");
    await payload.fill('{ "to": "ops" }');
    await dialog.getByLabel("Attempts").fill("500");
    await dialog.getByRole("button", { name: "Enqueue job" }).click();
    await dialog.getByRole("alert").filter({ hasText: "100" }).waitFor();
    await expectAccessible(page);
    await dialog.getByLabel("Attempts").fill("3");
    await dialog.getByLabel("Tags").fill("by-hand, eu");
    await dialog.getByRole("button", { name: "Enqueue job" }).click();
    await page.getByText(/^Enqueued job/).waitFor();
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByRole("heading", { level: 1, name: /^Job/ }).waitFor();
    await page.getByText("by-hand").waitFor();
    await page.getByText('"to": "ops"').waitFor();
    // The refused one is told by the browser, too.
  });
});
