import { afterAll, beforeAll, expect, test } from "vitest";
import type { Cron } from "../../src/client/index.js";
import type { Caller } from "../api/api.js";
import { expectAccessible, Site } from "./site.js";

let site: Site;
let writer: Caller;

beforeAll(async () => {
  site = await Site.empty();
  await site.api.install("crm", {
    crons: [
      { name: "daily-digest", schedule: "0 9 * * 1-5", timezone: "America/New_York" },
      { name: "lead-sync", schedule: "*/5 * * * *" },
    ],
  });
  await site.api.install("billing", {
    crons: [{ name: "digest-of-bills", schedule: "0 7 * * *" }],
  });
  writer = await site.api.caller("maria", ["app:crm:*"]);
});
afterAll(() => site?.[Symbol.asyncDispose]());

const ENTRY = "Go to a page, a cron or a job";

test("Ctrl K goes to a cron by its name, by the keyboard alone", async () => {
  const page = await site.open("/admin/apps", { as: writer });
  await page.getByRole("heading", { level: 1, name: "Apps" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByLabel(ENTRY).waitFor();
  await page.getByRole("option", { name: /^Crons/ }).waitFor();
  await expectAccessible(page);
  await page.keyboard.type("digest");
  await page.getByRole("option", { name: /crm \/ daily-digest/ }).waitFor();
  // What she may not see is not found.
  expect(await page.getByRole("option", { name: /billing/ }).count()).toBe(0);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "daily-digest" }).waitFor();
});

test("it does what can be done on the page that is open", async () => {
  const page = await site.open("/crons?q=lead-sync", { as: writer });
  await page.getByRole("link", { name: "lead-sync" }).click();
  await page.getByRole("heading", { level: 1, name: "lead-sync" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByLabel(ENTRY).waitFor();
  await page.keyboard.type("pause lead");
  await page.getByRole("option", { name: /^Crons/ }).waitFor({ state: "detached" });
  await page.getByRole("option", { name: "Pause lead-sync" }).waitFor();
  await page.keyboard.press("Enter");
  await page.getByText("Paused lead-sync").waitFor();
  await page.keyboard.press("Control+k");
  await page.getByLabel(ENTRY).fill("edit");
  await page.getByRole("option", { name: "Edit lead-sync" }).click();
  await page.getByRole("heading", { level: 1, name: "Edit lead-sync" }).waitFor();
});

test("a job is found by its number, wherever it is", async () => {
  const crons = (await site.api.as(writer, "GET", "/api/v1/apps/crm/crons")).body as Cron[];
  const path = `/api/v1/apps/crm/crons/${crons[0]?.id}/trigger`;
  const { msgId } = (await site.api.as(site.api.admin, "POST", path)).body as { msgId: number };
  const page = await site.open("/crons", { as: writer });
  await page.getByRole("heading", { level: 1, name: "Crons" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByLabel(ENTRY).fill(`#${msgId}`);
  await page.getByRole("option", { name: `Job ${msgId}` }).click();
  await page.waitForURL(`**/apps/crm/jobs/${msgId}`);
  await page.getByRole("heading", { level: 1, name: new RegExp(String(msgId)) }).waitFor();
});

test("what there is none of is said, and Esc closes it", async () => {
  const page = await site.open("/crons", { as: writer, width: 390, height: 844, theme: "dark" });
  await page.getByRole("button", { name: /Go to/ }).click();
  await page.getByLabel(ENTRY).fill("no such thing");
  await page.getByText("Nothing is called “no such thing”.").waitFor();
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await page.getByLabel(ENTRY).waitFor({ state: "hidden" });
});

test("who may not change a cron is offered no change of it", async () => {
  const reader = await site.api.caller("grace", ["app:crm:cron.read"]);
  const page = await site.open("/crons?q=daily-digest", { as: reader });
  await page.getByRole("link", { name: "daily-digest" }).click();
  await page.getByRole("heading", { level: 1, name: "daily-digest" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("option", { name: /^Crons/ }).waitFor();
  for (const verb of [/Pause/, /Edit/, /New cron/, /People/, /Roles/]) {
    expect(await page.getByRole("option", { name: verb }).count()).toBe(0);
  }
});
