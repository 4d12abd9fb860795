import { spawnSync } from "node:child_process";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Cron } from "../../src/client/index.js";
import type { Caller } from "../api/api.js";
import { Site } from "./site.js";

let site: Site;
let maria: Caller;
let cron: Cron;

/** With everything that a cron can be told, and all that quotes have to survive. */
const EVERYTHING = {
  name: "it-all",
  schedule: "30 2 * * 1-5",
  timezone: "Europe/Berlin",
  method: "say",
  payload: {
    text: "it's \"5 o'clock\" $HOME `date` \\ 🔔",
    lines: "a\nb",
    nested: { n: [1, null] },
  },
  overlapPolicy: "buffer",
  catchUp: "all",
  catchUpMax: 7,
  catchUpWindow: 7200,
  maxConsecutiveFailures: 5,
  priority: 3,
  maxAttempts: 4,
  retryDelay: 30,
  retryBackoff: 1.5,
  timeout: 90,
  expiresAfter: 600,
  tags: ["nightly", "o'clock"],
  maxConcurrency: 2,
  startsAt: "2026-01-01T00:00:00.000Z",
  endsAt: "2036-01-01T00:00:00.000Z",
  jitter: 20,
  dst: { gap: "skip", fold: "both" },
  target: {
    ...{ type: "http", url: "https://example.com/hook?a=b&c='d'" },
    headers: { "X-A": "a=b: 'c'" },
  },
};

beforeAll(async () => {
  site = await Site.empty();
  await site.api.install("crm");
  await site.api.install("mail");
  maria = await site.api.caller("maria", ["app:crm:*", "app:mail:*"]);
  const made = await site.api.as(maria, "POST", "/api/v1/apps/crm/crons", { body: EVERYTHING });
  expect(made.status, made.text).toBe(201);
  cron = made.body as Cron;
});
afterAll(() => site[Symbol.asyncDispose]());

/** What a cron is, apart from which it is. */
function settings(of: Cron): Partial<Cron> {
  const { id, createdAt, updatedAt, version, origin, can, pgJobId, ...rest } = of;
  expect([id, createdAt, updatedAt, version, origin, can, pgJobId].length).toBe(7);
  return { ...rest, createdBy: null };
}

/** Copies by the menu of its page, and deletes it, so that the copy can be made. */
async function copyAndDelete(page: Page, item: string): Promise<string> {
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByRole("button", { name: "More for it-all" }).click();
  await page.getByRole("menuitem", { name: item }).click();
  await page.getByText(/^Copied it-all/).waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  const [now] = (await site.api.as(maria, "GET", "/api/v1/apps/crm/crons")).body as Cron[];
  await site.api.as(maria, "DELETE", `/api/v1/apps/crm/crons/${now?.id}`);
  return copied;
}

async function open(): Promise<Page> {
  const [now] = (await site.api.as(maria, "GET", "/api/v1/apps/crm/crons")).body as Cron[];
  return site.open(`/crons/crm/${now?.id}`, { as: maria });
}

async function expectTheSame(): Promise<void> {
  const all = (await site.api.as(maria, "GET", "/api/v1/apps/crm/crons")).body as Cron[];
  expect(all.map(settings)).toEqual([settings(cron)]);
}

test("as SQL it makes the same cron", async () => {
  const page = await open();
  const sql = await copyAndDelete(page, "Copy as SQL");
  await site.api.db.sql.unsafe(sql);
  await expectTheSame();
});

test("as curl it makes the same cron, out of a shell", async () => {
  const page = await open();
  const command = await copyAndDelete(page, "Copy as curl");
  // The shell's own reading of it, without the network.
  const shell = `curl() { for word in "$@"; do printf '%s\\0' "$word"; done; }; ${command}`;
  const { stdout, status } = spawnSync("sh", ["-c", shell], {
    encoding: "utf8",
    env: { PATH: process.env.PATH, HOME: "/nowhere", CARILLON_KEY: maria.key },
  });
  expect(status).toBe(0);
  const words = stdout.split("\0").slice(0, -1);
  const after = (flag: string) =>
    words.flatMap((word, at) => (words[at - 1] === flag ? [word] : []));
  const url = words.find((word) => word.startsWith("http")) ?? "";
  const response = await fetch(url, {
    method: after("-X")[0] ?? "",
    headers: after("-H").map((line): [string, string] => {
      const at = line.indexOf(": ");
      return [line.slice(0, at), line.slice(at + 2)];
    }),
    body: after("-d")[0] ?? "",
  });
  expect(response.status, await response.text()).toBe(201);
  await expectTheSame();
});

test("as a manifest's entry it deploys the same cron", async () => {
  const page = await open();
  const entry = await copyAndDelete(page, "Copy as manifest");
  const deployed = await site.api.as(site.api.admin, "PUT", "/api/v1/apps/crm/manifest", {
    body: { crons: [JSON.parse(entry)] },
  });
  expect(deployed.status, deployed.text).toBe(200);
  await expectTheSame();
});

test("a number that the page has read rounded is not copied", async () => {
  const [big] = await site.api.db.sql<{ id: string }[]>`
    select id from carillon.create_cron(app => 'crm', name => 'big', schedule => '0 3 * * *',
      payload => '{"id": 9223372036854775807}')`;
  const page = await site.open("/crons?q=big", { as: maria });
  await page.getByRole("button", { name: "More for big" }).click();
  await page.getByRole("menuitem", { name: "Copy as SQL" }).click();
  const told = page.getByRole("region", { name: "Notifications" });
  await told.getByText("big cannot be copied from here").waitFor();
  await told.getByText(/would be rounded/).waitFor();
  await site.api.as(maria, "DELETE", `/api/v1/apps/crm/crons/${big?.id}`);
});

test("the menu of its row leads to a copy of it, for who may make one", async () => {
  const page = await site.open("/crons", { as: maria });
  await page.getByRole("button", { name: "More for it-all" }).click();
  await page.getByRole("menuitem", { name: "Duplicate" }).click();
  await page.getByRole("heading", { level: 1, name: "New cron" }).waitFor();
  expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("it-all-copy");
  // Into another app and back: it stays a copy.
  await page.getByLabel("App", { exact: true }).selectOption("mail");
  await page.waitForURL(/\/crons\/mail\/new\?from=.+&of=crm$/);
  expect(await page.getByLabel("Attempts").inputValue()).toBe("4");
  await page.reload();
  expect(await page.getByLabel("Attempts").inputValue()).toBe("4");
  await page.getByLabel("App", { exact: true }).selectOption("crm");
  await page.getByRole("button", { name: "Create cron" }).click();
  await page.getByRole("heading", { level: 1, name: "it-all-copy" }).waitFor();
  const all = (await site.api.as(maria, "GET", "/api/v1/apps/crm/crons")).body as Cron[];
  const copy = all.find(({ name }) => name === "it-all-copy");
  expect(copy && { ...settings(copy), name: "it-all" }).toEqual(settings(cron));

  const reader = await site.api.caller("reader", ["app:crm:cron.read"]);
  const other = await site.open("/crons", { as: reader });
  await other.getByRole("button", { name: "More for it-all", exact: true }).click();
  expect(await other.getByRole("menuitem").allInnerTexts()).toEqual([
    ...["Copy as manifest", "Copy as SQL", "Copy as curl"],
  ]);
  await other.goto(`/crons/crm/new?from=${copy?.id}`);
  await other.getByText("You may not make crons in crm").waitFor();
});
