import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Caller, TestApi } from "../api/api.js";
import { forgetJobs, JobMaker } from "./jobs-support.js";
import { expectAccessible, expectNoSidewaysScroll } from "./site.js";
import { type Tab, Tabs } from "./tab.js";

let api: TestApi;
let tabs: Tabs;
let crm: JobMaker;
let billing: JobMaker;
let digest: string;
/** Reads the jobs of crm, and nothing else. */
let reader: Caller;

beforeAll(async () => {
  api = await TestApi.start();
  for (const app of ["crm", "billing", "empty"]) await api.install(app);
  [crm, billing] = [new JobMaker(api, "crm"), new JobMaker(api, "billing")];
  digest = await crm.cron("daily-digest");
  reader = await api.caller("reader", ["app:crm:job.read"]);
  tabs = await Tabs.start(api);
}, 180_000);
afterAll(async () => {
  await tabs[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
});
beforeEach(() => forgetJobs(api));

const row = ({ page }: Tab, id: number) =>
  page.getByRole("row").filter({ has: page.getByRole("link", { name: `Job ${id}` }) });
const ids = ({ page }: Tab) =>
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
    await using tab = await tabs.open("/jobs", api.admin);
    await row(tab, waiting).getByText("queued").waitFor();
    expect(await ids(tab)).toEqual([waiting, broken, done]);
    const text = await row(tab, broken).innerText();
    expect(text).toContain("failed");
    expect(text).toContain("<b>card</b> declined");
    expect(text).toContain("2 / 2");
    expect(text).toContain("bill-02");
    await row(tab, done).getByRole("link", { name: "daily-digest" }).waitFor();
    await expectAccessible(tab.page);
    expect(tab.faults).toEqual([]);
  });

  test("moves by itself: a job that starts and ends says so", async () => {
    const id = await crm.enqueue();
    await using tab = await tabs.open("/jobs", api.admin);
    await row(tab, id).getByText("queued").waitFor();
    await crm.claim(id);
    await row(tab, id).getByText("running").waitFor();
    await crm.complete(id);
    await row(tab, id).getByText("completed").waitFor();
    expect(tab.faults).toEqual([]);
  });

  test("keeps its filters in the URL: Back undoes the last, a copied link shows the same", async () => {
    const tagged = await crm.enqueue({}, { tags: ["eu"] });
    const failed = await crm.enqueue({}, { tags: ["eu"] });
    await crm.claim(failed);
    await crm.fail(failed, { name: "Error", message: "no" });
    await crm.trigger(digest);
    await using tab = await tabs.open("/jobs", api.admin);
    await tab.page.getByLabel("Tag").fill("eu");
    await row(tab, tagged).waitFor();
    await expect.poll(() => ids(tab)).toEqual([failed, tagged]);
    await tab.page.getByRole("button", { name: "Failed", exact: true }).click();
    await expect.poll(() => ids(tab)).toEqual([failed]);
    const { pathname, search } = new URL(tab.page.url());
    expect(search).toBe("?status=failed&tag=eu");
    await tab.page.goBack();
    await expect.poll(() => ids(tab)).toEqual([failed, tagged]);
    await using copy = await tabs.open(pathname + search, api.admin);
    await expect.poll(() => ids(copy)).toEqual([failed]);
    await copy.page.getByRole("button", { name: "Canceled" }).click();
    await copy.page.getByRole("button", { name: "Failed", exact: true }).click();
    await copy.page.getByText("No job matches these filters").waitFor();
    await copy.page.getByRole("button", { name: "Clear the filters" }).click();
    await expect.poll(async () => (await ids(copy)).length).toBe(3);
    expect([...tab.faults, ...copy.faults]).toEqual([]);
  });

  test("of one cron is chosen by its name, and so is its app", async () => {
    const wanted = await crm.trigger(digest);
    await billing.enqueue();
    await using tab = await tabs.open("/jobs", api.admin);
    await tab.page.getByRole("button", { name: "Of a cron…" }).click();
    await tab.page.getByLabel("Search crons").fill("digest");
    await tab.page
      .getByRole("dialog")
      .getByRole("button", { name: /daily-digest/ })
      .click();
    await expect.poll(() => ids(tab)).toEqual([wanted]);
    expect(new URL(tab.page.url()).searchParams.get("app")).toBe("crm");
    await tab.page.getByText("Cron: daily-digest").waitFor();
    await tab.page.getByRole("button", { name: "Remove the filter: cron daily-digest" }).click();
    await expect.poll(() => new URL(tab.page.url()).search).toBe("?app=crm");
    expect(tab.faults).toEqual([]);
  });

  test("reads on from page to page, across apps, without a job twice", async () => {
    for (let n = 0; n < 60; n++) await (n % 3 === 0 ? billing : crm).enqueue();
    await using tab = await tabs.open("/jobs", api.admin);
    await expect.poll(async () => (await ids(tab)).length).toBe(50);
    await tab.page.getByRole("button", { name: "Show more jobs" }).click();
    await expect.poll(async () => (await ids(tab)).length).toBe(60);
    const all = await ids(tab);
    expect(all).toEqual([...new Set(all)].sort((a, b) => b - a));
  });

  test("does not push away what is read: new jobs are counted, and shown when asked for", async () => {
    for (let n = 0; n < 40; n++) await crm.enqueue();
    await using tab = await tabs.open("/jobs", api.admin);
    await expect.poll(async () => (await ids(tab)).length).toBe(40);
    await tab.page.locator("#main").evaluate((main) => main.scrollTo({ top: 600 }));
    const before = await ids(tab);
    await crm.enqueue();
    const newest = await crm.enqueue();
    await tab.page.getByRole("button", { name: "2 new jobs · Show" }).click();
    await row(tab, newest).waitFor();
    expect((await ids(tab)).slice(2)).toEqual(before);
    expect(await tab.page.locator("#main").evaluate((main) => main.scrollTop)).toBe(0);
    expect(tab.faults).toEqual([]);
  });

  test("stands still while rows are selected", async () => {
    const id = await crm.enqueue();
    await using tab = await tabs.open("/jobs", api.admin);
    await tab.page.getByLabel(`Select job ${id}`).check();
    await tab.page.getByText("Paused: 1 row selected").waitFor();
    const asked = tab.asked.length;
    const other = await crm.enqueue();
    await new Promise((resolve) => setTimeout(resolve, 4000));
    expect(tab.asked.length).toBe(asked);
    await tab.page.getByRole("button", { name: "Clear", exact: true }).click();
    await row(tab, other).waitFor();
  });

  test("says what is missing, where, and keeps what was there when the server fails", async () => {
    const id = await crm.enqueue();
    await using tab = await tabs.open("/jobs", api.admin);
    await row(tab, id).waitFor();
    await tab.page.route("**/api/v1/apps/*/jobs?*", (route) =>
      route.fulfill({
        status: 503,
        contentType: "application/problem+json",
        body: JSON.stringify({ status: 503, title: "Unavailable", code: "unavailable" }),
      }),
    );
    await tab.page.getByText(/Not updated since/).waitFor();
    expect(await row(tab, id).count()).toBe(1);
    await tab.page.getByRole("button", { name: "Running" }).click();
    await tab.page.unroute("**/api/v1/apps/*/jobs?*");
    await tab.page.getByRole("button", { name: "Running" }).click();
    await row(tab, id).waitFor();
  });

  test("is no wider than a phone, and a card there is all of a job", async () => {
    const id = await billing.enqueue({}, { tags: ["a-tag-that-is-as-long-as-it-may-be-nearly"] });
    await using tab = await tabs.open("/jobs", api.admin, { width: 390, height: 844, dark: true });
    await row(tab, id).waitFor();
    await expectNoSidewaysScroll(tab.page);
    await expectAccessible(tab.page);
    expect(tab.faults).toEqual([]);
  });
});

describe("many at once", () => {
  test("selected jobs are canceled after being counted by the server", async () => {
    const [one, two] = [await crm.enqueue(), await billing.enqueue()];
    const left = await crm.enqueue();
    await using tab = await tabs.open("/jobs", api.admin);
    await tab.page.getByLabel(`Select job ${one}`).check();
    await tab.page.getByLabel(`Select job ${two}`).check();
    await tab.page.getByRole("button", { name: "Cancel 2 jobs…" }).click();
    const dialog = tab.page.getByRole("dialog");
    await dialog.getByRole("list", { name: "What is meant" }).getByText("queued").waitFor();
    await expectAccessible(tab.page);
    await dialog.getByLabel("Why? (optional)").fill("wrong prices");
    await dialog.getByRole("button", { name: "Cancel 2 jobs" }).click();
    await tab.page.getByText("Canceled 2 jobs").waitFor();
    await row(tab, one).getByText("wrong prices").waitFor();
    expect(await statusOf("billing", two)).toBe("canceled");
    expect(await statusOf("crm", left)).toBe("queued");
    expect(tab.faults).toEqual([]);
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
    await using tab = await tabs.open("/jobs?app=crm", api.admin);
    await tab.page.getByRole("button", { name: "Run all failed ones again…" }).click();
    const dialog = tab.page.getByRole("dialog");
    await dialog.getByText("1 job of them ran again already: passed over.").waitFor();
    await dialog.getByRole("button", { name: "Run again 2 jobs" }).click();
    await tab.page.getByText("Ran again 2 jobs").waitFor();
    await expect.poll(async () => (await ids(tab)).length).toBe(6);
    expect(tab.faults).toEqual([]);
  });

  test("is not offered to those who may only look", async () => {
    const id = await crm.enqueue();
    await using tab = await tabs.open("/jobs", reader);
    await tab.page.getByLabel(`Select job ${id}`).check();
    await tab.page.getByText("You may only look at them: job.write is missing.").waitFor();
    expect(await tab.page.getByRole("button", { name: /^Cancel \d|again…/ }).count()).toBe(0);
    expect(await tab.page.getByRole("button", { name: "Enqueue a job" }).count()).toBe(0);
    expect(tab.faults).toEqual([]);
  });
});

describe("who may see nothing, or has nothing", () => {
  test("is told which permission is missing", async () => {
    await using tab = await tabs.open("/jobs?app=billing", reader);
    await tab.page.getByText("You may not see the jobs of billing").waitFor();
    await tab.page.getByText("app:billing:job.read").waitFor();
    expect(tab.faults).toEqual([]);
  });

  test("is told where jobs come from", async () => {
    await using tab = await tabs.open("/jobs?app=empty", api.admin);
    await tab.page.getByText("No jobs yet").waitFor();
    await expectAccessible(tab.page);
    expect(tab.faults).toEqual([]);
  });
});

describe("enqueuing a job", () => {
  test("points at what is wrong with its payload, and makes it once it is right", async () => {
    await using tab = await tabs.open("/jobs?app=crm", api.admin);
    await tab.page.getByRole("button", { name: "Enqueue a job" }).click();
    const dialog = tab.page.getByRole("dialog", { name: "Enqueue a job" });
    const payload = dialog.getByLabel("Payload");
    await payload.fill('{\n  "to": "ops"\n  "n": 1\n}');
    await dialog.getByRole("button", { name: "Enqueue job" }).click();
    await dialog.getByText(/^Line 3, column 3/).waitFor();
    expect(await payload.getAttribute("aria-invalid")).toBe("true");
    await payload.fill('{ "to": "ops" }');
    await dialog.getByLabel("Attempts").fill("500");
    await dialog.getByRole("button", { name: "Enqueue job" }).click();
    await dialog.getByRole("alert").filter({ hasText: "100" }).waitFor();
    await expectAccessible(tab.page);
    await dialog.getByLabel("Attempts").fill("3");
    await dialog.getByLabel("Tags").fill("by-hand, eu");
    await dialog.getByRole("button", { name: "Enqueue job" }).click();
    await tab.page.getByText(/^Enqueued job/).waitFor();
    await tab.page.getByRole("button", { name: "Open" }).click();
    await tab.page.getByRole("heading", { level: 1, name: /^Job/ }).waitFor();
    await tab.page.getByText("by-hand").waitFor();
    await tab.page.getByText('"to": "ops"').waitFor();
    // The refused one is told by the browser, too.
    expect(tab.faults.filter((fault) => !fault.includes("400"))).toEqual([]);
  });
});
