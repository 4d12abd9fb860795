import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Caller, TestApi } from "../api/api.js";
import { forgetJobs, JobMaker } from "./jobs-support.js";
import { expectAccessible, expectNoSidewaysScroll, Site } from "./site.js";

/** A busy machine may take its time. */
const SOON = { timeout: 15_000 };

let api: TestApi;
let site: Site;
let crm: JobMaker;
let digest: string;
let reader: Caller;

beforeAll(async () => {
  site = await Site.empty();
  api = site.api;
  await api.install("crm");
  crm = new JobMaker(api, "crm");
  digest = await crm.cron("daily-digest");
  reader = await api.caller("reader", ["app:crm:job.read"]);
}, 180_000);
afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
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
    const page = await site.open(path(id), { as: api.admin });
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
  });

  test("follows it from the queue to its result", async () => {
    const id = await crm.trigger(digest);
    const page = await site.open(path(id), { as: api.admin });
    await page.getByText("Waiting for a worker").waitFor();
    await crm.claim(id);
    await page.getByText(/^Running for/).waitFor();
    await crm.log(id, [{ stream: "progress", percent: 64, message: "640 of 1,000" }]);
    await page.getByText("64 %").first().waitFor();
    await crm.complete(id, { mailed: 1000 });
    await page.getByText(/^Completed/).waitFor();
    await page.getByText('"mailed": 1000').waitFor();
    await page.getByRole("link", { name: "daily-digest" }).first().waitFor();
  });

  test("cancels a running job, with the reason, and runs it again as another", async () => {
    const id = await running();
    const page = await site.open(path(id), { as: api.admin });
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
  });

  test("shows what each call to its target sent and met, as text whatever it is", async () => {
    const url = "https://hooks.example.com/nightly";
    const target = { type: "http" as const, url, headers: { "x-team": "ops" } };
    const id = await crm.enqueue({}, { target, maxAttempts: 2, retryDelay: 0 });
    const sent = { method: "POST", url, headers: { "x-team": "ops", "carillon-app": "crm" } };
    const kept = { request: sent, redirects: [], bodyEncoding: "text", bodyTruncated: false };
    const html = "<script>alert(1)</script>";
    await crm.call(
      id,
      1,
      {
        ...{ ...kept, statusCode: 503, headers: { "content-type": "text/html" }, body: html },
        timing: { dns: 4, connect: 10, tls: 26, firstByte: 2900, total: 3000 },
      },
      { name: "status", message: "the answer's status is 503" },
    );
    await crm.call(id, 2, {
      ...{ ...kept, statusCode: 201, redirects: [{ status: 307, url }] },
      headers: { "content-type": "application/json", "set-cookie": ["a=1", "b=2"] },
      body: '{"charge":"ch_1","state":"paid"}',
      timing: { dns: null, connect: null, tls: null, firstByte: 140, total: 212 },
    });
    const page = await site.open(path(id), { as: api.admin });
    const title = `Job ${id}, POST hooks.example.com/nightly`;
    await page.getByRole("heading", { level: 1, name: title }).waitFor();
    const card = page.getByRole("region", { name: "HTTP exchange" });
    const second = card.locator("details").filter({ hasText: "Attempt 2" });
    await second.getByText(`POST ${url}`).waitFor();
    expect((await second.locator("summary").innerText()).replace(/\s+/g, " ")).toMatch(
      /Attempt 2 POST https:\/\/hooks\.example\.com\/nightly 201 212 ms/,
    );
    const answer = second.getByRole("region", { name: "Answer 201" });
    expect(await answer.getByText("set-cookie").count()).toBe(2);
    await second.getByText("Waiting 140 ms").waitFor();
    await second.getByRole("list", { name: "Redirects" }).getByText("307").waitFor();
    await second.getByText('"state": "paid"').waitFor();
    await expectAccessible(page);

    const first = card.locator("details").filter({ hasText: "Attempt 1" });
    await first.locator("summary").click();
    await first.getByText("the answer's status is 503").waitFor();
    await first.getByText("DNS 4 ms").waitFor();
    await first.getByText(html).waitFor();
    expect(await page.locator("main script").count()).toBe(0);
    // What it left is told once: there is no other result.
    expect(await page.getByRole("region", { name: "Result" }).count()).toBe(0);
  });

  test("says that nothing came back where no call was made", async () => {
    const target = { type: "http" as const, url: "https://hooks.example.com/none" };
    const id = await crm.enqueue({}, { target });
    const error = { name: "secret_missing", message: "crm has no secret HOOK_TOKEN" };
    await crm.call(id, 1, {}, error);
    const page = await site.open(path(id), { as: api.admin });
    const card = page.getByRole("region", { name: "HTTP exchange" });
    await card.getByText("crm has no secret HOOK_TOKEN").first().waitFor();
  });

  test("cancels a delayed job before it is due, which a reader sees and cannot undo", async () => {
    const id = await crm.enqueue({}, { runAt: new Date(Date.now() + 7_200_000).toISOString() });
    const page = await site.open(path(id), { as: api.admin });
    await page.getByText(/^Not due yet/).waitFor();
    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    await page.getByText("It will never start.").waitFor();
    await page.getByRole("button", { name: "Cancel job" }).click();
    await page
      .getByText(/^Canceled/)
      .first()
      .waitFor();
    const read = await site.open(path(id), { as: reader });
    await read.getByText(/before it had started/).waitFor();
    expect(
      await read.getByRole("button", { name: "Run again" }).getAttribute("aria-disabled"),
    ).toBe("true");
  });

  test("changes when a delayed job is due and what it is given, and points at what is wrong", async () => {
    const id = await crm.enqueue(
      { n: 1 },
      { runAt: new Date(Date.now() + 7_200_000).toISOString() },
    );
    const page = await site.open(path(id), { as: api.admin });
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
  });

  test("offers a reader no act, and says which permission it would take", async () => {
    const id = await running();
    const page = await site.open(path(id), { as: reader });
    const cancel = page.getByRole("button", { name: "Cancel", exact: true });
    await cancel.waitFor();
    expect(await cancel.getAttribute("aria-disabled")).toBe("true");
    expect(await cancel.getAttribute("title")).toContain("app:crm:job.write is missing");
    await cancel.click({ force: true });
    expect(await page.getByRole("dialog").count()).toBe(0);
    const stranger = await api.caller(`stranger-${id}`, ["app:other:job.read"]);
    const other = await site.open(path(id), { as: stranger });
    await other.getByText("You may not see this job").waitFor();
    expect(site.asked(other).filter((asked) => asked.includes("/jobs/"))).toEqual([]);
  });

  test("says so where there is no such job", async () => {
    const page = await site.open(path(987_654), { as: api.admin });
    await page.getByText("It is not here any more").waitFor();
    await page.goto(`${api.server.url}/apps/crm/jobs/none`);
    await page.getByText("That is no job's id").waitFor();
  });

  test("is no wider than a phone", async () => {
    const id = await running();
    await crm.log(id, [{ message: "x".repeat(5000) }]);
    const page = await site.open(path(id), {
      as: api.admin,
      width: 390,
      height: 844,
      theme: "dark",
    });
    await page.getByText("show all 5,000 characters").waitFor();
    await expectNoSidewaysScroll(page);
    await expectAccessible(page);
  });
});

describe("the log of a job", () => {
  test("grows as it is written, as text, by one stream that ends with the job", async () => {
    const id = await running();
    await crm.log(id, [{ message: "first" }]);
    const page = await site.open(path(id), { as: api.admin });
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
    const streams = site.asked(page).filter((asked) => asked.includes("/logs/stream"));
    expect(streams).toEqual([`GET /api/v1/apps/crm/jobs/${id}/logs/stream?after=1`]);
  });

  test("rests while the page is hidden, and goes on behind its last line", async () => {
    const id = await running();
    await crm.log(id, [{ message: "before" }]);
    const page = await site.open(path(id), { as: api.admin });
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
    const streams = site.asked(page).filter((asked) => asked.includes("/logs/stream"));
    expect(streams.map((asked) => asked.split("?")[1])).toEqual(["after=1", "after=1"]);
  });

  test("is searched and filtered by level, all of it, and those that come after", async () => {
    const id = await running();
    await crm.logMany(id, 3000);
    const page = await site.open(path(id), { as: api.admin });
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
  });

  test("keeps only what is in sight in the page, follows its end, and lets go when one reads up", async () => {
    const id = await running();
    await crm.logMany(id, 3000);
    const page = await site.open(path(id), { as: api.admin });
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
  });

  test("comes as a file in each of its forms", async () => {
    const id = await running();
    await crm.log(id, [{ message: "one" }, { message: "two", level: "warn" }]);
    await crm.complete(id);
    const page = await site.open(path(id), { as: api.admin });
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
  });

  test("breaks off with a reason and a way to go on", async () => {
    const id = await running();
    await crm.log(id, [{ message: "first" }]);
    const page = await site.open("/jobs", { as: api.admin });
    await page.route("**/logs?*", (route) => route.abort());
    await page.getByRole("link", { name: `Job ${id}` }).click();
    await page.getByText("Broken off").waitFor();
    await page.unroute("**/logs?*");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("log").getByText("first").waitFor();
  });
});
