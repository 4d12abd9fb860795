import { afterAll, beforeAll, expect, test } from "vitest";
import { noteFailure } from "../../src/db/breakers.js";
import { noteWorker } from "../../src/db/workers.js";
import type { Caller } from "../api/api.js";
import { expectAccessible, Site } from "./site.js";

let site: Site;
let reader: Caller;
const boss = () => site.api.admin;

beforeAll(async () => {
  site = await Site.empty();
  await site.api.install("crm", {
    crons: [
      { name: "daily-digest", schedule: "0 9 * * 1-5", timezone: "America/New_York" },
      { name: "lead-sync", schedule: "*/5 * * * *" },
    ],
  });
  reader = await site.api.caller("grace.mbeki", ["app:crm:cron.read"]);
  // The bootstrap key's privilege: what is tested is what a page may do with it.
  await site.api.db.sql`
    update carillon.api_keys set mints_keys = true where id = ${boss().keyId}`;
});
afterAll(() => site?.[Symbol.asyncDispose]());

test("a key is shown once, and neither Esc nor a click beside it loses it", async () => {
  const page = await site.open("/admin/keys", { as: boss() });
  // On plain HTTP there is no clipboard.
  await page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
  await page.getByRole("button", { name: "New key" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("deploy-ci");
  await page.getByRole("checkbox", { name: /app:crm:cron\.read/ }).check();
  await page.getByRole("checkbox", { name: /app:crm:cron\.write/ }).check();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Create key" }).click();

  const secret = page.getByRole("textbox", { name: "The key deploy-ci" });
  await secret.waitFor();
  const key = await secret.inputValue();
  expect(key).toMatch(/^crl_/);
  await page.keyboard.press("Escape");
  await page.mouse.click(5, 5);
  expect(await secret.inputValue()).toBe(key);
  const done = page.getByRole("button", { name: "Done" });
  expect(await done.getAttribute("aria-disabled")).toBe("true");
  await done.click({ force: true });
  expect(await secret.isVisible()).toBe(true);
  await page.getByRole("button", { name: "Copy" }).click();
  await page.getByText("Copied.").waitFor();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download .env" }).click(),
  ]);
  const { readFile } = await import("node:fs/promises");
  expect(await readFile(await download.path(), "utf8")).toBe(`CARILLON_KEY=${key}\n`);
  await expectAccessible(page);
  await page.getByLabel("I have stored it").check();
  await done.click();
  await secret.waitFor({ state: "hidden" });

  // What was copied is the key: it is pasted where one signs in.
  await page.getByText("deploy-ci").waitFor();
  expect(await page.content()).not.toContain(key);
  const me = await site.api.request("GET", "/api/v1/me", {
    headers: { authorization: `Bearer ${key}` },
  });
  expect(me.body).toMatchObject({
    permissions: ["app:crm:cron.read", "app:crm:cron.write"],
    key: { name: "deploy-ci" },
  });

  await page.getByRole("button", { name: "Revoke deploy-ci…" }).click();
  await page.getByText("It stops working at once").waitFor();
  await page.getByRole("button", { name: "Revoke key" }).click();
  await page.getByText("revoked", { exact: true }).waitFor();
  const after = await site.api.request("GET", "/api/v1/me", {
    headers: { authorization: `Bearer ${key}` },
  });
  expect(after.status).toBe(401);
});

test("what is refused of a key stands at its field", async () => {
  const page = await site.open("/admin/keys", { as: boss() });
  await page.getByRole("button", { name: "New key" }).click();
  await page.getByRole("button", { name: "Create key" }).click();
  await page
    .getByText(/Must not be empty/)
    .first()
    .waitFor();
  expect(await page.getByRole("textbox", { name: "Name" }).getAttribute("aria-invalid")).toBe(
    "true",
  );
});

test("who came by a key is told that keys are made by people", async () => {
  const page = await site.open("/admin/keys", { as: reader });
  await page.getByText("Keys are made by people").waitFor();
  const button = page.getByRole("button", { name: "New key" });
  expect(await button.getAttribute("aria-disabled")).toBe("true");
  // What is closed to her is not offered, and says why when it is visited all the same.
  expect(await page.getByRole("link", { name: "Roles" }).count()).toBe(0);
  for (const [path, missing] of [
    ["/admin/people", "system:principal.read"],
    ["/admin/roles", "system:role.read"],
    ["/admin/audit", "system:audit.read"],
    ["/admin/secrets", "app:…:secret.read"],
    ["/admin/targets", "app:…:target.read"],
    ["/doctor", "system:read"],
  ] as const) {
    await page.goto(path);
    await page.getByText(missing, { exact: true }).waitFor();
  }
  await expectAccessible(page);
});

test("disabling somebody counts what hangs on them", async () => {
  const page = await site.open("/admin/people", { as: boss() });
  await page.getByRole("button", { name: "New principal" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("tom.becker");
  await page.getByRole("checkbox", { name: /app:crm:admin/ }).check();
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByText("Created tom.becker").waitFor();

  const people = await site.api.as(boss(), "GET", "/api/v1/principals");
  const { items } = people.body as { items: { id: string; username: string; roles: string[] }[] };
  const tom = items.find(({ username }) => username === "tom.becker");
  expect(tom?.roles).toEqual(["app:crm:admin"]);
  await site.api.db.sql`update carillon.crons set owner_id = ${tom?.id ?? null}`;

  await page.getByRole("button", { name: "More for tom.becker" }).click();
  await page.getByRole("menuitem", { name: "Disable…" }).click();
  await page.getByText("It owns 2 enabled crons (crm / daily-digest, crm / lead-sync)").waitFor();
  await page.getByText("It has no key that works.").waitFor();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Disable", exact: true }).click();
  await page.getByText("Disabled tom.becker").waitFor();
  const row = page.getByRole("row", { name: /tom\.becker/ });
  await row.getByText("disabled").waitFor();
  const answer = await site.api.as(boss(), "GET", `/api/v1/principals/${tom?.id}`);
  expect(answer.body).toMatchObject({ enabled: false });
  await page.getByRole("button", { name: "Undo" }).click();
  await row.getByText("enabled", { exact: true }).waitFor();

  // The last who may do everything cannot be taken away: the dialog says so, and stays.
  await page.getByRole("button", { name: "More for boss" }).click();
  await page.getByRole("menuitem", { name: "Disable…" }).click();
  await page.getByRole("button", { name: "Disable", exact: true }).click();
  await page.getByRole("alertdialog").getByRole("alert").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
});

test("a role is made of permissions and of other roles, and given to somebody", async () => {
  const page = await site.open("/admin/roles", { as: boss() });
  await page.getByRole("button", { name: "New role" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("crm-reader");
  await page.getByRole("checkbox", { name: /app:crm:job\.read/ }).check();
  await page.getByRole("checkbox", { name: /^role-grace\.mbeki/ }).check();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Create role" }).click();
  await page.getByText("Created crm-reader").waitFor();
  const role = await site.api.as(boss(), "GET", "/api/v1/roles/crm-reader");
  expect(role.body).toMatchObject({
    permissions: ["app:crm:job.read"],
    inherits: ["role-grace.mbeki"],
    granted: ["app:crm:cron.read", "app:crm:job.read"],
  });
  // Round and round is refused, with the way.
  await page.getByRole("button", { name: "Edit role-grace.mbeki…" }).click();
  await page.getByRole("checkbox", { name: /^crm-reader/ }).check();
  await page.getByRole("button", { name: "Save role" }).click();
  await page.getByRole("alert").first().waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();

  await page.getByRole("link", { name: "People" }).click();
  await page.getByRole("button", { name: "More for grace.mbeki" }).click();
  await page.getByRole("menuitem", { name: "Roles…" }).click();
  await page.getByRole("checkbox", { name: /^crm-reader/ }).check();
  await page.getByRole("button", { name: "Save roles" }).click();
  await page.getByText("Changed what grace.mbeki may do").waitFor();
  const grace = await site.api.as(boss(), "GET", `/api/v1/principals/${reader.id}`);
  expect((grace.body as { roles: string[] }).roles.sort()).toEqual([
    "crm-reader",
    "role-grace.mbeki",
  ]);
});

test("a secret goes in, and never comes out", async () => {
  const page = await site.open("/admin/secrets", { as: boss() });
  await page.getByText("crm has no secrets").waitFor();
  await page.getByRole("button", { name: "New secret" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("hook token");
  await page.getByLabel("Value").fill("s3cr3t-value");
  await page.getByRole("button", { name: "Set secret" }).click();
  await page.getByText(/upper-case letters, digits and underscores, beginning/).waitFor();
  await page.getByRole("textbox", { name: "Name" }).fill("HOOK_TOKEN");
  await page.getByRole("button", { name: "Set secret" }).click();
  await page.getByText("Set HOOK_TOKEN of crm").waitFor();
  await page.getByRole("cell", { name: "HOOK_TOKEN", exact: true }).waitFor();
  await page.reload();
  await page.getByRole("cell", { name: "HOOK_TOKEN", exact: true }).waitFor();
  expect(await page.content()).not.toContain("s3cr3t-value");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Delete HOOK_TOKEN…" }).click();
  await page.getByRole("button", { name: "Delete secret" }).click();
  await page.getByText("crm has no secrets").waitFor();
});

test("a signing key is rotated, and shown once", async () => {
  const page = await site.open("/admin/secrets?app=crm", { as: boss() });
  await page.getByText("Nobody knows the key of crm yet").waitFor();
  await page.getByRole("button", { name: "Rotate…" }).click();
  await page.getByLabel("The key before it ends").selectOption({ label: "after 7 days" });
  await page.getByRole("button", { name: "Rotate key" }).click();
  const secret = page.getByRole("textbox", { name: "The signing key of crm" });
  expect(await secret.inputValue()).toMatch(/^whsec_/);
  await page.keyboard.press("Escape");
  expect(await secret.isVisible()).toBe(true);
  await expectAccessible(page);
  await page.getByLabel("I have stored it").check();
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("cell", { name: "now, and until it is rotated" }).waitFor();
  const keys = await site.api.as(boss(), "GET", "/api/v1/apps/crm/signing-keys");
  expect((keys.body as { items: unknown[] }).items.length).toBeGreaterThan(0);
});

test("a broken target is called again by hand, and the rule is changed, or refused", async () => {
  const error = { class: "timeout", message: "no <b>answer</b> came in time" };
  const rule = { failures: 3, coolDown: 3600 };
  for (let n = 0; n < 3; n++) {
    await noteFailure(site.sql, "crm", "https://hooks.example.com", error, rule);
  }
  const page = await site.open("/admin/targets?app=crm", { as: boss() });
  const row = page.getByRole("row", { name: /https:\/\/hooks\.example\.com/ });
  await row.getByText("is held back").waitFor();
  await row.getByText("timeout: no <b>answer</b> came in time").waitFor();
  await expectAccessible(page);
  await row.getByRole("button", { name: /^Call again: https/ }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Call again" }).click();
  await page.getByText("Every target of crm answered").waitFor();

  await page.getByText("As the dispatchers are told.").waitFor();
  await page.getByRole("button", { name: "Change…" }).click();
  await page.getByLabel("Seconds until it is tried again").fill("30");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText(/without failures/).waitFor();
  await page.getByLabel("Failures in a row").fill("4");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("After 4 failures in a row; one call tries again 30 s later.").waitFor();
});

test("who may only read an app's secrets and targets is offered no change of them", async () => {
  const auditor = await site.api.caller("hanna", ["app:crm:secret.read", "app:crm:target.read"]);
  const page = await site.open("/admin/secrets", { as: auditor });
  await page.getByRole("heading", { name: "Signing keys of crm" }).waitFor();
  for (const name of [/New secret/, /Rotate/, /Replace/, /Delete/]) {
    expect(await page.getByRole("button", { name }).count()).toBe(0);
  }
  await page.getByRole("link", { name: "Targets", exact: true }).click();
  await page.getByRole("heading", { name: "When calls are held back" }).waitFor();
  expect(await page.getByRole("button", { name: "Change…" }).count()).toBe(0);
});

test("who somebody is elsewhere is linked, and unlinked again", async () => {
  const page = await site.open("/admin/people", { as: boss() });
  await page.getByRole("button", { name: "More for grace.mbeki" }).click();
  await page.getByRole("menuitem", { name: "Sign-ins…" }).click();
  await page.getByText("No token and no session acts as grace.mbeki").waitFor();
  await page.getByRole("button", { name: "Link identity" }).click();
  await page
    .getByText(/Must not be empty|Must have at least 1|is required/i)
    .first()
    .waitFor();
  await page.getByLabel("Subject").fill("kratos-grace");
  await page.getByRole("button", { name: "Link identity" }).click();
  const list = page.getByRole("list", { name: "Identities of grace.mbeki" });
  await list.getByText("kratos-grace").waitFor();
  await expectAccessible(page);
  await list.getByRole("button", { name: "Unlink kratos-grace" }).click();
  await page.getByText("No token and no session acts as grace.mbeki").waitFor();
  const path = `/api/v1/principals/${reader.id}/identities`;
  expect((await site.api.as(boss(), "GET", path)).body).toEqual([]);
});

test("what this browser is told is kept in it", async () => {
  const clerk = await site.api.caller("clerk", ["app:crm:cron.read"]);
  const page = await site.open("/admin/settings", { as: clerk });
  await page.getByRole("radio", { name: "12 hours" }).check();
  await page.getByRole("radio", { name: "Dark" }).check();
  expect(await page.locator("html").getAttribute("data-theme")).toBe("dark");
  await page.reload();
  await page.getByRole("radio", { name: "12 hours" }).waitFor();
  expect(await page.getByRole("radio", { name: "12 hours" }).isChecked()).toBe(true);
  expect(await page.locator("html").getAttribute("data-theme")).toBe("dark");
  // A reader of crons sees no app's retention, and nothing of the installation.
  await page.getByText("There is no app whose jobs you may see").waitFor();
  expect(await page.getByText("Copies of this database").count()).toBe(0);
});

test("the record is filtered by its address, and shows what became of what", async () => {
  const all = await site.api.as(boss(), "GET", "/api/v1/apps/crm/crons");
  const cron = (all.body as { id: string; name: string }[]).find(
    ({ name }) => name === "lead-sync",
  );
  const path = `/api/v1/apps/crm/crons/${cron?.id}`;
  const headers = { "x-carillon-reason": "carrier asked for slower polling" };
  await site.api.as(boss(), "PATCH", path, { body: { schedule: "*/10 * * * *" }, headers });

  const page = await site.open("/admin/audit", { as: boss() });
  await page.getByText("carrier asked for slower polling").waitFor();
  await page.getByLabel("What was done to").selectOption("cron.*");
  await page.waitForURL(/action=cron\.\*|action=cron\.%2A/);
  const row = page.getByRole("row", { name: /carrier asked/ });
  expect(await row.locator("del").first().textContent()).toBe("*/5 * * * *");
  expect(await row.locator("ins").first().textContent()).toBe("*/10 * * * *");
  await expectAccessible(page);
  await page.getByLabel("Who").fill("nobody.at-all");
  await page.getByText("Nothing on record matches").waitFor();
  await page.getByRole("button", { name: "Clear", exact: true }).click();
  await row.waitFor();
  expect(new URL(page.url()).search).toBe("");
});

test("how long an app's jobs are kept is set, and what is no number of days refused", async () => {
  const page = await site.open("/admin/settings", { as: boss() });
  await page.getByRole("button", { name: "Change retention of crm…" }).click();
  await page.getByLabel("Days a finished job is kept").fill("99999");
  await page.getByRole("button", { name: "Save retention" }).click();
  await page.getByText(/Must be at most 3650/).waitFor();
  await page.getByLabel("Days a finished job is kept").fill("30");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Save retention" }).click();
  await page.getByText("Finished jobs of crm are kept 30 days").waitFor();
  const answer = await site.api.as(boss(), "GET", "/api/v1/apps/crm/retention");
  expect(answer.body).toMatchObject({ days: 30, effectiveDays: 30 });
  await page.getByRole("row", { name: /crm 30 days/ }).waitFor();
  // What cannot be undone wants the name typed.
  await page.getByRole("link", { name: "Apps", exact: true }).click();
  await page.getByRole("button", { name: "Uninstall crm…" }).click();
  expect(await page.getByRole("button", { name: "Uninstall app" }).isDisabled()).toBe(true);
  await page.getByRole("button", { name: "Cancel" }).click();
});

test("the doctor counts what is well, and says what to do about the rest", async () => {
  const page = await site.open("/doctor", { as: boss() });
  await page.getByText(/0 problems, \d warnings?, \d+ checks passed/).waitFor();
  await page.getByText("The database answers").waitFor();
  await page.getByText("Every job that is due is being taken.").waitFor();
  await page.getByText("No worker is there").waitFor();
  const noted = { keys: ["crm"], host: "crm-1.larkfield.example", pid: 71, version: "0.1.0" };
  await noteWorker(site.api.sql, { ...noted, name: "crm-7f2c", concurrency: 8 });
  await noteWorker(site.api.sql, { ...noted, keys: ["@"], name: "sender", concurrency: 4 });
  await noteWorker(site.api.sql, { ...noted, name: "crm-gone", concurrency: 2 });
  await site.api.sql`
    update carillon.workers set seen_at = now() - interval '5 minutes', started_at = now() - interval '1 day'
    where name = 'crm-gone'`;
  await page.getByRole("button", { name: "Check again" }).click();
  await page.getByText("2 there, 1 silent").waitFor();
  const workers = page.getByRole("region", { name: /silent ones first/ }).getByRole("row");
  const rows = (await workers.allInnerTexts()).map((text) => text.replace(/\s+/g, " ").trim());
  expect(rows[1]).toMatch(/^crm-gone crm 0 of 2 \d min ago, and did not stop/);
  expect(rows.slice(2).join("\n")).toMatch(
    /crm-7f2c crm 0 of 8 .*crm-1\.larkfield\.example process 71/,
  );
  expect(rows.slice(2).join("\n")).toMatch(/sender dispatcher all apps 0 of 4/);
  await page.getByRole("heading", { name: "Queues" }).waitFor();
  await expectAccessible(page);
  // The database was copied, and copies are held.
  await site.api.sql`
    update carillon.settings set value = jsonb_set(value, '{systemIdentifier}', '"7000000000000000001"')
    where key = 'home'`;
  await site.api.sql`select carillon.set_on_clone(policy => 'hold')`;
  try {
    await page.getByRole("button", { name: "Check again" }).click();
    await page.getByText(/1 problem, /).waitFor();
    await page.getByText("Nothing fires here until it is released").waitFor();
    await expectAccessible(page);
    await page.getByRole("button", { name: "Release…" }).click();
    const release = page.getByRole("button", { name: "Release copy" });
    expect(await release.isDisabled()).toBe(true);
    await page.getByRole("alertdialog").getByRole("textbox").fill(site.api.db.name);
    await release.click();
    await page.getByText(/0 problems/).waitFor();
  } finally {
    await site.api.sql`select carillon.release_clone()`;
    await site.api.sql`select carillon.set_on_clone(policy => 'warn')`;
  }
});
