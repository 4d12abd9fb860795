import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Caller, TestApi } from "../api/api.js";
import { forgetJobs, JobMaker } from "./jobs-support.js";
import { expectAccessible, expectNoSidewaysScroll } from "./site.js";
import { type Tab, Tabs } from "./tab.js";

/** A busy machine may take its time. */
const SOON = { timeout: 15_000 };

let api: TestApi;
let tabs: Tabs;
let shop: JobMaker;
let mail: JobMaker;
let label: string;
let reader: Caller;

beforeAll(async () => {
  api = await TestApi.start();
  for (const app of ["shop", "mail"]) await api.install(app);
  [shop, mail] = [new JobMaker(api, "shop"), new JobMaker(api, "mail")];
  label = await shop.cron("label-print");
  reader = await api.caller("reader", ["app:shop:job.read"]);
  tabs = await Tabs.start(api);
}, 180_000);
afterAll(async () => {
  await tabs[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
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

const group = ({ page }: Tab, text: string) => page.getByRole("row").filter({ hasText: text });
const left = async (app: string) => {
  const { body } = await api.as(api.admin, "GET", `/api/v1/apps/${app}/dead-letters`);
  return (body as { count: number }).count;
};

describe("dead letters", () => {
  test("are told by what they died of, and opened one by one", async () => {
    const [first] = await letters();
    await using tab = await tabs.open("/dead-letters", api.admin);
    const { page } = tab;
    await page.getByText("4 dead letters", { exact: true }).waitFor();
    const shown = group(tab, "label-print");
    expect(await shown.innerText()).toMatch(/the worker stopped reporting/);
    expect(await shown.getByRole("strong").first().innerText()).toBe("3");
    await shown.getByRole("button", { name: /the worker stopped reporting/ }).click();
    await page.getByRole("link", { name: `Job ${first}` }).waitFor();
    await page.getByText('"name":"<i>محمد</i>"').first().waitFor();
    await expectAccessible(page);
    expect(tab.faults).toEqual([]);
  });

  test("are redriven one first, then the rest, each as a new job", async () => {
    await letters();
    await using tab = await tabs.open("/dead-letters", api.admin);
    const { page } = tab;
    await group(tab, "label-print").getByRole("button", { name: "Redrive 1 first…" }).click();
    const question = page.getByRole("alertdialog");
    await question.getByText("Redrive 1 letter?").waitFor();
    await expectAccessible(page);
    await question.getByRole("button", { name: "Redrive 1 letter" }).click();
    await page.getByText("Redrove 1 letter").waitFor();
    await group(tab, "label-print").getByRole("button", { name: "Redrive 2…" }).click();
    await question.getByRole("button", { name: "Redrive 2 letters" }).click();
    await page.getByText("Redrove 2 letters").waitFor();
    await page.getByText("1 dead letter", { exact: true }).waitFor();
    expect([await left("shop"), await left("mail")]).toEqual([0, 1]);
    const jobs = await api.as(api.admin, "GET", "/api/v1/apps/shop/jobs?status=queued");
    expect((jobs.body as { items: unknown[] }).items).toHaveLength(3);
    expect(tab.faults).toEqual([]);
  });

  test("that are selected stay under the hand; those taken meanwhile are no error", async () => {
    await letters();
    await using tab = await tabs.open("/dead-letters", api.admin);
    const { page } = tab;
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
    expect(tab.faults).toEqual([]);
  });

  test("of an app are deleted for good only by typing how many", async () => {
    await letters();
    await using tab = await tabs.open("/dead-letters?app=shop", api.admin);
    const { page } = tab;
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
    expect(tab.faults).toEqual([]);
  });

  test("keep the question open when the server refuses, with its reason", async () => {
    await letters();
    await using tab = await tabs.open("/dead-letters?app=mail", api.admin);
    const { page } = tab;
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
    await using tab = await tabs.open("/dead-letters", reader);
    await tab.page.getByText("3 dead letters", { exact: true }).waitFor();
    await tab.page.getByLabel(/^Select 3 letters/).check();
    await tab.page.getByText("You may only look at them: job.write is missing.").waitFor();
    expect(await tab.page.getByRole("button", { name: /^(Redrive|Delete)/ }).count()).toBe(0);
    await using other = await tabs.open("/dead-letters?app=mail", reader);
    await other.page.getByText("app:mail:job.read").waitFor();
    expect(other.asked.some((asked) => asked.includes("dead-letters"))).toBe(false);
    expect([...tab.faults, ...other.faults]).toEqual([]);
  });

  test("fit a phone", async () => {
    await letters();
    const looks = { width: 390, height: 844, dark: true };
    await using tab = await tabs.open("/dead-letters", api.admin, looks);
    await tab.page.getByText("4 dead letters", { exact: true }).waitFor();
    await expectNoSidewaysScroll(tab.page);
    await expectAccessible(tab.page);
    expect(tab.faults).toEqual([]);
  });
});
