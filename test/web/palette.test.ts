import { afterAll, beforeAll, expect, test } from "vitest";
import type { Cron } from "../../src/client/index.js";
import type { Caller } from "../api/api.js";
import { Dashboard } from "./dashboard.js";

let web: Dashboard;
let writer: Caller;

beforeAll(async () => {
  web = await Dashboard.start();
  await web.api.install("crm", {
    crons: [
      { name: "daily-digest", schedule: "0 9 * * 1-5", timezone: "America/New_York" },
      { name: "lead-sync", schedule: "*/5 * * * *" },
    ],
  });
  await web.api.install("billing", { crons: [{ name: "digest-of-bills", schedule: "0 7 * * *" }] });
  writer = await web.api.caller("maria", ["app:crm:*"]);
});
afterAll(() => web[Symbol.asyncDispose]());

const ENTRY = "Go to a page, a cron or a job";

test("Ctrl K goes to a cron by its name, by the keyboard alone", async () => {
  await using visitor = await web.visit(writer, "/admin/apps");
  const { page } = visitor;
  await page.getByRole("heading", { level: 1, name: "Apps" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByLabel(ENTRY).waitFor();
  await page.getByRole("option", { name: /^Crons/ }).waitFor();
  expect(await visitor.axe()).toEqual([]);
  await page.keyboard.type("digest");
  await page.getByRole("option", { name: /crm \/ daily-digest/ }).waitFor();
  // What she may not see is not found.
  expect(await page.getByRole("option", { name: /billing/ }).count()).toBe(0);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "daily-digest" }).waitFor();
  expect(visitor.complaints).toEqual([]);
});

test("it does what can be done on the page that is open", async () => {
  await using visitor = await web.visit(writer, "/crons?q=lead-sync");
  const { page } = visitor;
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
  expect(visitor.complaints).toEqual([]);
});

test("a job is found by its number, wherever it is", async () => {
  const crons = (await web.api.as(writer, "GET", "/api/v1/apps/crm/crons")).body as Cron[];
  const path = `/api/v1/apps/crm/crons/${crons[0]?.id}/trigger`;
  const { msgId } = (await web.api.as(web.api.admin, "POST", path)).body as { msgId: number };
  await using visitor = await web.visit(writer, "/crons");
  const { page } = visitor;
  await page.getByRole("heading", { level: 1, name: "Crons" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByLabel(ENTRY).fill(`#${msgId}`);
  await page.getByRole("option", { name: `Job ${msgId}` }).click();
  await page.waitForURL(`**/apps/crm/jobs/${msgId}`);
  await page.getByRole("heading", { level: 1, name: new RegExp(String(msgId)) }).waitFor();
  expect(visitor.complaints).toEqual([]);
});

test("what there is none of is said, and Esc closes it", async () => {
  await using visitor = await web.visit(writer, "/crons", {
    width: 390,
    height: 844,
    theme: "dark",
  });
  const { page } = visitor;
  await page.getByRole("button", { name: /Go to/ }).click();
  await page.getByLabel(ENTRY).fill("no such thing");
  await page.getByText("Nothing is called “no such thing”.").waitFor();
  expect(await visitor.axe()).toEqual([]);
  await page.keyboard.press("Escape");
  await page.getByLabel(ENTRY).waitFor({ state: "hidden" });
  expect(visitor.complaints).toEqual([]);
});

test("who may not change a cron is offered no change of it", async () => {
  const reader = await web.api.caller("grace", ["app:crm:cron.read"]);
  await using visitor = await web.visit(reader, "/crons?q=daily-digest");
  const { page } = visitor;
  await page.getByRole("link", { name: "daily-digest" }).click();
  await page.getByRole("heading", { level: 1, name: "daily-digest" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("option", { name: /^Crons/ }).waitFor();
  for (const verb of [/Pause/, /Edit/, /New cron/, /People/, /Roles/]) {
    expect(await page.getByRole("option", { name: verb }).count()).toBe(0);
  }
  expect(visitor.complaints).toEqual([]);
});
