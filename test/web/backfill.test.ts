import { afterAll, beforeAll, expect, test } from "vitest";
import type { Cron } from "../../src/client/index.js";
import type { Caller } from "../api/api.js";
import { expectAccessible, Site } from "./site.js";

let site: Site;
let priya: Caller;

beforeAll(async () => {
  site = await Site.empty();
  await site.api.install("billing");
  priya = await site.api.caller("priya", ["app:billing:*"]);
});
afterAll(() => site[Symbol.asyncDispose]());

async function makeCron(name: string, schedule: string, timezone = "Europe/Berlin"): Promise<Cron> {
  const body = { name, schedule, timezone };
  const answer = await site.api.as(priya, "POST", "/api/v1/apps/billing/crons", { body });
  expect(answer.status, answer.text).toBe(201);
  return answer.body as Cron;
}

const pageOf = ({ appId, id }: Cron) => `/crons/${appId}/${id}`;

test("shows which slots it would run, runs them, and how far it has come", async () => {
  const cron = await makeCron("hourly", "0 * * * *");
  const page = await site.open(pageOf(cron), { as: priya });
  await page.getByRole("button", { name: "Backfill" }).click();
  const dialog = page.getByRole("dialog", { name: "Backfill hourly" });
  await dialog.getByText("The clock of Berlin.", { exact: true }).waitFor();
  await dialog.getByLabel("From").fill("2026-03-10T00:00:00");
  await dialog.getByLabel("To").fill("2026-03-10T05:00:00");
  await dialog.getByRole("button", { name: "Show the slots" }).click();
  await dialog.getByText("6 slots would run").waitFor();
  const slots = dialog.getByRole("list", { name: "Slots that would run" }).getByRole("listitem");
  expect(await slots.count()).toBe(6);
  expect(await slots.first().locator("time").getAttribute("datetime")).toBe(
    "2026-03-09T23:00:00.000Z",
  );
  await expectAccessible(page);
  // It was only asked what would be.
  const before = await site.api.as(priya, "GET", `/api/v1/apps/billing/crons/${cron.id}/backfills`);
  expect(before.body).toEqual([]);

  // Another range is another question.
  await dialog.getByLabel("To").fill("2026-03-10T03:00:00");
  await dialog.getByRole("button", { name: "Show the slots" }).click();
  await dialog.getByText("4 slots would run").waitFor();
  await dialog.getByLabel("Jobs at once").fill("2");
  await dialog.getByRole("button", { name: "Run 4 slots" }).click();
  await page.getByText("hourly: backfill of 4 slots has begun").waitFor();
  await page.getByText("Backfill of 4 slots:").waitFor();
  await page.getByText(/2 of them enqueued so far/).waitFor();
  const after = await site.api.as(priya, "GET", `/api/v1/apps/billing/crons/${cron.id}/backfills`);
  expect(after.body).toMatchObject([
    { from: "2026-03-09T23:00:00.000Z", to: "2026-03-10T02:00:00.000Z", slots: 4, concurrency: 2 },
  ]);
});

test("lists so many at most, and says how many more", async () => {
  const cron = await makeCron("minutely", "* * * * *", "GMT");
  const page = await site.open(pageOf(cron), { as: priya });
  await page.getByRole("button", { name: "Backfill" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("From").fill("2026-03-10T00:00:00");
  await dialog.getByLabel("To").fill("2026-03-10T19:59:00");
  await dialog.getByRole("button", { name: "Show the slots" }).click();
  await dialog.getByText("1,200 slots would run").waitFor();
  await dialog.getByText("The first 100 are listed; 1,100 more follow them.").waitFor();
  expect(await dialog.getByRole("listitem").count()).toBe(100);
  // Nothing is due before a schedule's first slot, and nothing says so more plainly.
  await dialog.getByLabel("From").fill("2026-03-10T19:58:30");
  await dialog.getByLabel("To").fill("2026-03-10T19:58:40");
  await dialog.getByRole("button", { name: "Show the slots" }).click();
  await dialog.getByText("There is nothing to run:").waitFor();
  expect(await dialog.getByRole("button", { name: /^Run/ }).count()).toBe(0);
});

test("says what the server refuses at the field it is about", async () => {
  const cron = await makeCron("refused", "* * * * *", "GMT");
  const page = await site.open(pageOf(cron), { as: priya });
  await page.getByRole("button", { name: "Backfill" }).click();
  const dialog = page.getByRole("dialog");
  const [from, to] = [dialog.getByLabel("From"), dialog.getByLabel("To")];
  const ask = () => dialog.getByRole("button", { name: "Show the slots" }).click();
  await to.fill("2031-01-01T00:00:00");
  await ask();
  await dialog.getByRole("alert").filter({ hasText: "Must not be in the future" }).waitFor();
  expect(await to.getAttribute("aria-invalid")).toBe("true");
  await from.fill("2026-03-10T00:00:00");
  await to.fill("2026-03-09T00:00:00");
  await ask();
  await dialog.getByRole("alert").filter({ hasText: "Must not be before from" }).waitFor();
  await to.fill("2026-03-30T00:00:00");
  await ask();
  await dialog.getByRole("alert").filter({ hasText: "within 10000 undecided slots" }).waitFor();
  await to.fill("2026-03-10T00:10:00");
  await dialog.getByLabel("Jobs at once").fill("0");
  await ask();
  await dialog.getByRole("alert").waitFor();
  expect(await dialog.getByLabel("Jobs at once").getAttribute("aria-invalid")).toBe("true");
  await dialog.getByLabel("Jobs at once").fill("many");
  await ask();
  await dialog.getByText("Give a whole number, such as 3.").waitFor();
  await from.fill("");
  await ask();
  await dialog.getByText("Give a day and a time.").waitFor();
  await expectAccessible(page);
});

test("whoever may only look is told what is missing", async () => {
  const cron = await makeCron("untouchable", "0 3 * * *");
  const reader = await site.api.caller("grace", ["app:billing:cron.read"]);
  const page = await site.open(pageOf(cron), { as: reader });
  const button = page.getByRole("button", { name: "Backfill" });
  await button.waitFor();
  expect(await button.getAttribute("title")).toContain("app:billing:cron.trigger is missing");
  await button.click({ force: true });
  expect(await page.getByRole("dialog").count()).toBe(0);
});
