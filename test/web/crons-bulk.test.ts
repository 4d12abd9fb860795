import { afterAll, beforeAll, expect, test } from "vitest";
import type { Caller } from "../api/api.js";
import { expectAccessible, Site } from "./site.js";

const MANY = 130;

let site: Site;
let maria: Caller;

beforeAll(async () => {
  site = await Site.empty();
  const numbered = Array.from({ length: MANY }, (_, n) => ({
    name: `sync-${String(n).padStart(3, "0")}`,
    schedule: "0 3 * * *",
  }));
  await site.api.install("crm", { crons: numbered });
  const hook = { type: "http", url: "https://example.com/hook" };
  await site.api.install("shop", {
    crons: [
      { name: "sync-shop", schedule: "0 4 * * *", target: hook },
      { name: "ask-agent", schedule: "0 4 * * *", target: { ...hook, type: "agent" } },
    ],
  });
  maria = await site.api.caller("maria", [
    ...["app:crm:*", "app:shop:cron.read", "app:shop:job.read"],
  ]);
});
afterAll(() => site[Symbol.asyncDispose]());

const stateOf = async (app: string) => {
  const [row] = await site.api.sql<{ all: number; on: number }[]>`
    select count(*)::integer as all, (count(*) filter (where enabled))::integer as on
    from carillon.crons where app_id = ${app}`;
  return row;
};

test("is narrowed to where jobs go, in the URL", async () => {
  const page = await site.open("/crons", { as: maria });
  await page.getByText(`${MANY + 2} crons`).waitFor();
  await page.getByLabel("Target").selectOption("http");
  await page.getByText("1 cron", { exact: true }).waitFor();
  const row = page.getByRole("row").filter({ hasText: "sync-shop" });
  await row.getByText("HTTP", { exact: true }).waitFor();
  expect(new URL(page.url()).search).toBe("?target=http");
  await page.getByLabel("Target").selectOption("faktory");
  await page.getByText("No cron matches these filters").waitFor();
  await page.getByRole("button", { name: "Clear the filters" }).click();
  await page.getByText(`${MANY + 2} crons`).waitFor();
  await page.goto("/crons?target=agent");
  await page.getByRole("link", { name: "ask-agent" }).waitFor();
  expect(await page.getByLabel("Target").inputValue()).toBe("agent");
});

test("all that match are paused, those that are not read yet too, and no others", async () => {
  const page = await site.open("/crons?q=sync", { as: maria });
  await page.getByText(`${MANY + 1} crons`).waitFor();
  await page.getByLabel("Select all shown").check();
  await page.getByText("50 crons selected").waitFor();
  await page.getByRole("button", { name: `Select all ${MANY + 1} that match` }).click();
  await page.getByText(`${MANY + 1} crons selected`).waitFor();
  await page.getByRole("button", { name: "Paused: all that match are selected" }).waitFor();
  await page.getByRole("button", { name: "Pause…" }).click();
  // The shop's is hers to look at, and no more.
  const dialog = page.getByRole("dialog", { name: `Pause ${MANY} crons` });
  await dialog.getByText(`${MANY} crons of 1 app.`).waitFor();
  await dialog.getByText("1 cron you may only look at").waitFor();
  await dialog.getByLabel("Why? (optional)").fill("moving house");
  await expectAccessible(page);
  await dialog.getByRole("button", { name: `Pause ${MANY} crons` }).click();
  await page.getByText(`Paused ${MANY} of ${MANY} crons`, { exact: true }).waitFor();
  expect(await stateOf("crm")).toEqual({ all: MANY, on: 0 });
  expect(await stateOf("shop")).toEqual({ all: 2, on: 2 });
  const [row] = await site.api.sql<{ notes: number }[]>`
    select count(*)::integer as notes from carillon.crons where pause_note = 'moving house'`;
  expect(row?.notes).toBe(MANY);

  // Another filter means others: nothing stays selected by itself.
  await page.getByLabel("Search crons").fill("sync-00");
  await page.getByText("10 crons").waitFor();
  expect(await page.getByLabel("Select all shown").isChecked()).toBe(false);
});

test("a stop leaves the rest as it was, and says how far it came", async () => {
  await site.api
    .sql`update carillon.crons set enabled = true, pause_note = null, paused_at = null, paused_by = null
    where app_id = 'crm'`;
  const page = await site.open("/crons?app=crm", { as: maria });
  const context = page.context();
  await page.getByText(`${MANY} crons`).first().waitFor();
  let let20Through = 0;
  await context.route("**/api/v1/apps/crm/crons/*", async (route) => {
    if (route.request().method() !== "PATCH") return route.continue();
    let20Through += 1;
    // The others wait until somebody has stopped it.
    if (let20Through > 20)
      await page
        .getByRole("button", { name: "Stop" })
        .click()
        .catch(() => undefined);
    return route.continue();
  });
  await page.getByLabel("Select all shown").check();
  await page.getByRole("button", { name: `Select all ${MANY} that match` }).click();
  await page.getByRole("button", { name: "Pause…" }).click();
  await page.getByRole("button", { name: `Pause ${MANY} crons` }).click();
  const dialog = page.getByRole("dialog");
  const text = await dialog.getByText(/left as they were/).innerText();
  const [, done, left] = /Paused (\d+) of \d+ crons, (\d+) left as they were/.exec(text) ?? [];
  expect(Number(done) + Number(left)).toBe(MANY);
  expect(Number(left)).toBeGreaterThan(MANY / 2);
  await dialog.getByRole("button", { name: "Close" }).click();
  expect((await stateOf("crm"))?.on).toBe(Number(left));
});

test("what is refused is told by name, the rest is done", async () => {
  const page = await site.open("/crons?q=sync-12", { as: site.api.admin });
  await page.getByText("10 crons").waitFor();
  await page.getByLabel("Select all shown").check();
  await page.getByRole("button", { name: "Delete 10 crons…" }).click();
  // Meanwhile somebody changes one: what one deletes is what one has seen.
  await site.api.sql`update carillon.crons set version = version + 1 where name = 'sync-127'`;
  const dialog = page.getByRole("dialog", { name: "Delete 10 crons" });
  await dialog.getByText("10 crons of them come from manifests").waitFor();
  await dialog.getByRole("button", { name: "Delete 10 crons" }).click();
  await dialog.getByText("Deleted 9 of 10 crons, 1 refused").waitFor();
  await dialog.getByText(/^sync-127: /).waitFor();
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Close" }).click();
  await page.getByText("1 cron", { exact: true }).waitFor();
  expect((await stateOf("crm"))?.all).toBe(MANY - 9);
});

test("very many are deleted only after their number has been typed", async () => {
  const left = MANY - 9;
  const page = await site.open("/crons?app=crm", { as: site.api.admin });
  await page.getByText(`${left} crons`).waitFor();
  await page.getByLabel("Select all shown").check();
  await page.getByRole("button", { name: `Select all ${left} that match` }).click();
  await page.getByRole("button", { name: "Delete…" }).click();
  const dialog = page.getByRole("dialog", { name: `Delete ${left} crons` });
  const verb = dialog.getByRole("button", { name: `Delete ${left} crons` });
  await verb.waitFor();
  expect(await verb.isDisabled()).toBe(true);
  await dialog.getByLabel(`Type ${left} to confirm`).fill(String(left));
  await verb.click();
  await page.getByText(`Deleted ${left} of ${left} crons`, { exact: true }).waitFor();
  await page.getByText("No crons in crm yet").waitFor();
  expect(await stateOf("crm")).toEqual({ all: 0, on: 0 });
  expect(await stateOf("shop")).toEqual({ all: 2, on: 2 });
});

test("who may only look has nothing to do with a selection", async () => {
  const reader = await site.api.caller("reader", ["app:shop:cron.read"]);
  const page = await site.open("/crons", { as: reader });
  await page.getByText("2 crons").waitFor();
  await page.getByLabel("Select all shown").check();
  for (const verb of ["Pause", "Resume", "Delete"]) {
    expect(await page.getByRole("button", { name: `${verb}…` }).isDisabled()).toBe(true);
  }
});
