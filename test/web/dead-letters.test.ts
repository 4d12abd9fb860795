import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Caller, TestApi } from "../api/api.js";
import { forgetJobs, JobMaker } from "./jobs-support.js";
import { expectAccessible, expectNoSidewaysScroll, Site } from "./site.js";

/** A busy machine may take its time. */
const SOON = { timeout: 15_000 };

let api: TestApi;
let site: Site;
let shop: JobMaker;
let mail: JobMaker;
let label: string;
let reader: Caller;

beforeAll(async () => {
  site = await Site.empty();
  api = site.api;
  for (const app of ["shop", "mail"]) await api.install(app);
  [shop, mail] = [new JobMaker(api, "shop"), new JobMaker(api, "mail")];
  label = await shop.cron("label-print");
  reader = await api.caller("reader", ["app:shop:job.read"]);
}, 180_000);
afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
});
beforeEach(() => forgetJobs(api));

/** Three of one cron and error, one of another app; the ids of their jobs. */
async function letters(): Promise<number[]> {
  const dead: number[] = [];
  for (let n = 1; n <= 3; n++) {
    dead.push(await shop.bury(await shop.trigger(label, { order: n, name: "<i>محمد</i>" })));
  }
  dead.push(await mail.bury(await mail.enqueue()));
  return dead;
}

const group = (page: Page, text: string) => page.getByRole("row").filter({ hasText: text });
const left = async (app: string) => {
  const { body } = await api.as(api.admin, "GET", `/api/v1/apps/${app}/dead-letters`);
  return (body as { count: number }).count;
};

describe("dead letters", () => {
  test("are told by what they died of, and opened one by one", async () => {
    const [first] = await letters();
    const page = await site.open("/dead-letters", { as: api.admin });
    await page.getByText("4 dead letters", { exact: true }).waitFor();
    const shown = group(page, "label-print");
    expect(await shown.innerText()).toMatch(/the worker stopped reporting/);
    expect(await shown.getByRole("strong").first().innerText()).toBe("3");
    await shown.getByRole("button", { name: /the worker stopped reporting/ }).click();
    await page.getByRole("link", { name: `Job ${first}` }).waitFor();
    await page.getByText('"name":"<i>محمد</i>"').first().waitFor();
    await expectAccessible(page);
  });

  test("are redriven one first, then the rest, each as a new job", async () => {
    await letters();
    const page = await site.open("/dead-letters", { as: api.admin });
    await group(page, "label-print").getByRole("button", { name: "Redrive 1 first…" }).click();
    const question = page.getByRole("alertdialog");
    await question.getByText("Redrive 1 letter?").waitFor();
    await expectAccessible(page);
    await question.getByRole("button", { name: "Redrive 1 letter" }).click();
    await page.getByText("Redrove 1 letter").waitFor();
    await group(page, "label-print").getByRole("button", { name: "Redrive 2…" }).click();
    await question.getByRole("button", { name: "Redrive 2 letters" }).click();
    await page.getByText("Redrove 2 letters").waitFor();
    await page.getByText("1 dead letter", { exact: true }).waitFor();
    expect([await left("shop"), await left("mail")]).toEqual([0, 1]);
    const jobs = await api.as(api.admin, "GET", "/api/v1/apps/shop/jobs?status=queued");
    expect((jobs.body as { items: unknown[] }).items).toHaveLength(3);
  });

  test("that are selected stay under the hand; those taken meanwhile are no error", async () => {
    await letters();
    const page = await site.open("/dead-letters", { as: api.admin });
    await page.getByLabel(/^Select 3 letters/).check();
    await page.getByText("Paused: 3 letters selected").waitFor();
    const { body } = await api.as(api.admin, "GET", "/api/v1/apps/shop/dead-letters");
    const [{ id } = { id: 0 }] = (body as { items: { id: number }[] }).items;
    await api.as(api.admin, "POST", "/api/v1/apps/shop/dead-letters/redrive", {
      body: { ids: [id] },
    });
    await page.getByRole("button", { name: "Redrive 3 letters…" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Redrive 3 letters" }).click();
    await page.getByText("Redrove 2 letters").waitFor();
    await page.getByText("1 letter had gone already.").waitFor();
  });

  test("of an app are deleted for good only by typing how many", async () => {
    await letters();
    const page = await site.open("/dead-letters?app=shop", { as: api.admin });
    await page.getByRole("button", { name: "Delete all of shop…" }).click();
    const question = page.getByRole("alertdialog");
    const verb = question.getByRole("button", { name: "Delete 3 letters" });
    expect(await verb.isDisabled()).toBe(true);
    await question.getByRole("textbox").fill("4");
    expect(await verb.isDisabled()).toBe(true);
    await question.getByRole("textbox").fill("3");
    await verb.click();
    await page.getByText("Deleted 3 letters").waitFor();
    await page.getByText("No dead letters").waitFor();
    await expectAccessible(page);
    expect([await left("shop"), await left("mail")]).toEqual([0, 1]);
  });

  test("keep the question open when the server refuses, with its reason", async () => {
    await letters();
    const page = await site.open("/dead-letters?app=mail", { as: api.admin });
    await page.route("**/dead-letters/redrive", (route) =>
      route.fulfill({
        status: 409,
        contentType: "application/problem+json",
        body: JSON.stringify({ status: 409, title: "the app is being uninstalled", code: "x" }),
      }),
    );
    await page.getByRole("button", { name: "Redrive all of mail…" }).click();
    const question = page.getByRole("alertdialog");
    await question.getByRole("button", { name: "Redrive 1 letter" }).click();
    await question.getByRole("alert").waitFor();
    expect(await left("mail")).toBe(1);
    await question.getByRole("button", { name: "Cancel" }).click();
    await expect.poll(() => question.count(), SOON).toBe(0);
  });

  test("are shown to a reader without any act, and to nobody else", async () => {
    await letters();
    const page = await site.open("/dead-letters", { as: reader });
    await page.getByText("3 dead letters", { exact: true }).waitFor();
    await page.getByLabel(/^Select 3 letters/).check();
    await page.getByText("You may only look at them: job.write is missing.").waitFor();
    expect(await page.getByRole("button", { name: /^(Redrive|Delete)/ }).count()).toBe(0);
    const other = await site.open("/dead-letters?app=mail", { as: reader });
    await other.getByText("app:mail:job.read").waitFor();
    expect(site.asked(other).some((asked) => asked.includes("dead-letters"))).toBe(false);
  });

  test("fit a phone", async () => {
    await letters();
    const looks = { width: 390, height: 844, theme: "dark" as const };
    const page = await site.open("/dead-letters", { as: api.admin, ...looks });
    await page.getByText("4 dead letters", { exact: true }).waitFor();
    await expectNoSidewaysScroll(page);
    await expectAccessible(page);
  });
});
