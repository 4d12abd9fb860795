import { afterAll, beforeAll, expect, test } from "vitest";
import type { Cron } from "../../src/client/index.js";
import type { Caller } from "../api/api.js";
import { expectAccessible, Site } from "./site.js";

let site: Site;
let writer: Caller;

beforeAll(async () => {
  site = await Site.empty();
  await site.api.install("crm");
  await site.api.install("billing", {
    crons: [{ name: "dunning", schedule: "0 10 * * 1-5", timezone: "Europe/Berlin" }],
  });
  writer = await site.api.caller("maria", ["app:crm:*"]);
});
afterAll(() => site[Symbol.asyncDispose]());

const ADMIN = () => site.api.admin;

async function makeCron(name: string, more: object = {}): Promise<Cron> {
  const body = { name, schedule: "0 9-21 * * *", ...more };
  const answer = await site.api.as(ADMIN(), "POST", "/api/v1/apps/crm/crons", { body });
  expect(answer.status, answer.text).toBe(201);
  return answer.body as Cron;
}

async function cronNow({ id, appId }: Cron): Promise<Cron> {
  const answer = await site.api.as(ADMIN(), "GET", `/api/v1/apps/${appId}/crons/${id}`);
  return answer.body as Cron;
}

const editOf = ({ appId, id }: Cron) => `/crons/${appId}/${id}/edit`;

test("a cron is made from nothing, with its slots seen before it is", async () => {
  const page = await site.open("/crons/crm/new", { as: writer });
  await page.getByLabel("Name", { exact: true }).fill("nightly-report");
  await page.getByLabel("Schedule", { exact: true }).fill("30 2 * * *");
  const zone = page.getByLabel("Time zone");
  await zone.fill("Europe/Berlin");
  await zone.press("Tab");
  await page.getByText("At 02:30").waitFor();
  expect(await page.getByRole("table", { name: "Next 10 slots" }).locator("tbody tr").count()).toBe(
    10,
  );
  await page.getByLabel("Payload").fill('{ "to": "ops" }');
  await page.getByLabel("Attempts").fill("3");
  await page.getByLabel("Timeout").fill("1 h 30 min");
  await page.getByRole("radio", { name: "Buffer one" }).check();
  await page.getByLabel("Why? (optional)").fill("asked for by ops");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Create cron" }).click();
  await page.getByRole("heading", { level: 1, exact: true, name: "nightly-report" }).waitFor();

  const [cron] = (await site.api.as(ADMIN(), "GET", "/api/v1/apps/crm/crons")).body as Cron[];
  expect(cron).toMatchObject({
    name: "nightly-report",
    schedule: "30 2 * * *",
    timezone: "Europe/Berlin",
    payload: { to: "ops" },
    maxAttempts: 3,
    timeout: 5400,
    overlapPolicy: "buffer",
    catchUp: "latest",
  });
  const audit = await site.api.as(ADMIN(), "GET", "/api/v1/apps/crm/audit?action=cron.create");
  expect(audit.body).toMatchObject({ items: [{ reason: "asked for by ops" }] });
});

test("a schedule no helper can rebuild is left as it is when its zone changes", async () => {
  const cron = await makeCron("opening-hours", { timeout: 90, payload: { a: 1 } });
  const page = await site.open(editOf(cron), { as: writer });
  // Not hers: she holds app:crm:*, so she manages others'.
  await page.getByText("Custom: edit as text.").waitFor();
  expect(await page.getByLabel("Schedule", { exact: true }).inputValue()).toBe("0 9-21 * * *");
  await page.getByLabel("Time zone").fill("Asia/Tokyo");
  await page.getByLabel("Time zone").press("Tab");
  await page.getByText(/Changes \d+ slots of the next 10\./).waitFor();
  const [request] = await Promise.all([
    page.waitForRequest((sent) => sent.method() === "PATCH"),
    page.getByRole("button", { name: "Save and reschedule" }).click(),
  ]);
  expect(request.postDataJSON()).toEqual({ timezone: "Asia/Tokyo" });
  expect(request.headers()["if-match"]).toBe(`"${cron.version}"`);
  await page.getByRole("heading", { level: 1, exact: true, name: "opening-hours" }).waitFor();
  expect(await cronNow(cron)).toMatchObject({
    schedule: "0 9-21 * * *",
    timezone: "Asia/Tokyo",
    timeout: 90,
  });
});

test("what the server refuses is said at its field, with where in the text", async () => {
  const page = await site.open("/crons/crm/new", { as: writer });
  await page.getByLabel("Name", { exact: true }).fill("wrong");
  const schedule = page.getByLabel("Schedule", { exact: true });
  await schedule.fill("0 25 * * *");
  const message = page.getByRole("alert").filter({ hasText: 'hour "25" is out of range' });
  await message.or(page.getByText(/Hour "25" is out of range/)).waitFor();
  expect(await page.locator("pre").filter({ hasText: "^^" }).textContent()).toBe(
    "0 25 * * *\n  ^^",
  );
  expect(await schedule.getAttribute("aria-invalid")).toBe("true");

  await page.getByLabel("Payload").fill('{\n  "to": "ops"\n  "cc": 1\n}');
  await page.getByLabel("Priority").fill("99999");
  await schedule.fill("0 5 * * *");
  await page.getByRole("button", { name: "Create cron" }).click();
  await page.getByText(/Line 3, column 3/).waitFor();
  await page.getByText("1 field to mend").waitFor();
  expect(await page.evaluate(() => document.activeElement?.getAttribute("name"))).toBe("payload");

  await page.getByLabel("Payload").fill("{}");
  await page.getByRole("button", { name: "Create cron" }).click();
  await page.getByText(/Must be at most 32767/).waitFor();
  expect(await page.evaluate(() => document.activeElement?.getAttribute("name"))).toBe("priority");

  // A name that is taken is a complaint about the name.
  await makeCron("taken");
  await page.getByLabel("Priority").fill("");
  await page.getByLabel("Name", { exact: true }).fill("taken");
  await page.getByRole("button", { name: "Create cron" }).click();
  await page
    .getByText(/already/)
    .first()
    .waitFor();
  expect(await page.getByLabel("Name", { exact: true }).getAttribute("aria-invalid")).toBe("true");
});

test("an answer belongs to the text it answers, however late it comes", async () => {
  const page = await site.open("/crons/crm/new", { as: writer });
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  // By its parameter: an address has numbers in its port as well.
  const isOld = (url: string) => new URL(url).searchParams.get("schedule") === "0 11 * * *";
  await page.route(/schedules\/preview/, async (route) => {
    if (isOld(route.request().url())) await held;
    await route.continue().catch(() => undefined);
  });
  const schedule = page.getByLabel("Schedule", { exact: true });
  const asked = page.waitForRequest((sent) => isOld(sent.url()));
  await schedule.fill("0 11 * * *");
  await asked;
  await schedule.fill("0 12 * * *");
  await page.getByText("At 12:00").waitFor();
  release();
  await page.unrouteAll({ behavior: "wait" });
  expect(await page.getByText("At 11:00").count()).toBe(0);
});

test("helpers write the text, and read it only where they would write the same", async () => {
  const page = await site.open("/crons/crm/new", { as: writer });
  const schedule = page.getByLabel("Schedule", { exact: true });
  const helper = page.getByRole("group", { name: "Helper" });
  await schedule.fill("0 9 * * 1-5");
  expect(await helper.getByLabel("How often").inputValue()).toBe("week");
  await helper.getByRole("button", { name: "Fri" }).click();
  expect(await schedule.inputValue()).toBe("0 9 * * 1-4");
  await helper.getByLabel("Time of day").fill("18:30");
  expect(await schedule.inputValue()).toBe("30 18 * * 1-4");
  for (const custom of [
    "0 9,12 * * *",
    "00 9 * * *",
    "0  9 * * *",
    "0 25 * * *",
    "0 9 * * 5,1",
    "0 9 1 * 1",
  ]) {
    await schedule.fill(custom);
    await page.getByText("Custom: edit as text.").waitFor();
    expect(await schedule.inputValue()).toBe(custom);
  }
  await page.getByRole("radio", { name: "Rate" }).check();
  expect(await schedule.inputValue()).toBe("every 2 hours");
  await page.getByLabel("How many").fill("90");
  await page.getByLabel("Unit").selectOption("minute");
  expect(await schedule.inputValue()).toBe("every 90 minutes");
  await page.getByRole("radio", { name: "Clock and calendar" }).check();
  expect(await schedule.inputValue()).toBe("0 9 1 * 1");
  await page.getByRole("radio", { name: "Once" }).check();
  await page.getByLabel("Date and time").fill("2031-12-24T18:00");
  expect(await schedule.inputValue()).toBe("at 2031-12-24T18:00");
  await page.getByText(/Once, /).waitFor();
});

test("whoever was slower sees what was changed, and saves on top of it", async () => {
  const cron = await makeCron("contested");
  const page = await site.open(editOf(cron), { as: writer });
  await page.getByLabel("Timeout").fill("5 min");
  const body = { priority: 7 };
  await site.api.as(ADMIN(), "PATCH", `/api/v1/apps/crm/crons/${cron.id}`, { body });
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Somebody saved this cron").waitFor();
  expect(await cronNow(cron)).toMatchObject({ priority: 7, timeout: null });
  await expectAccessible(page);
  await page.getByRole("button", { name: "Keep mine on top of theirs" }).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("heading", { level: 1, exact: true, name: "contested" }).waitFor();
  expect(await cronNow(cron)).toMatchObject({ priority: 7, timeout: 300 });
});

test("leaving asks once, and what was typed is there after a reload", async () => {
  const cron = await makeCron("kept");
  const page = await site.open(editOf(cron), { as: writer });
  await page.getByLabel("Tags").fill("billing");
  await page.getByText("1 field changed").waitFor();
  await page.getByRole("link", { name: "kept" }).click();
  await page.getByRole("button", { name: "Stay" }).click();
  expect(await page.getByLabel("Tags").inputValue()).toBe("billing");
  page.on("dialog", (dialog) => void dialog.accept());
  await page.reload();
  await page.getByRole("button", { name: "Bring it back" }).click();
  expect(await page.getByLabel("Tags").inputValue()).toBe("billing");
  await page.getByRole("link", { name: "kept" }).click();
  await page.getByRole("button", { name: "Leave without saving" }).click();
  await page.getByRole("heading", { level: 1, exact: true, name: "kept" }).waitFor();
  expect((await cronNow(cron)).tags).toEqual([]);
});

test("a session that ends in the middle keeps what was typed", async () => {
  const cron = await makeCron("expiring");
  const short = await site.api.caller("shorty", ["app:crm:*"]);
  const page = await site.open(editOf(cron), { as: short });
  await page.getByLabel("Priority").fill("3");
  await site.api.as(ADMIN(), "DELETE", `/api/v1/keys/${short.keyId}`);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Your key is no longer valid").waitFor();
  await page.getByLabel("API key").fill(writer.key);
  await page.getByRole("button", { name: "Sign in" }).click();
  expect(await page.getByLabel("Priority").inputValue()).toBe("3");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("heading", { level: 1, exact: true, name: "expiring" }).waitFor();
  expect(await cronNow(cron)).toMatchObject({ priority: 3 });
});

test("a copy begins with everything of its original but the name", async () => {
  const cron = await makeCron("original", { timezone: "Europe/Paris", maxAttempts: 5 });
  const page = await site.open(`/crons/crm/new?from=${cron.id}`, { as: writer });
  await page.getByRole("button", { name: "Create cron" }).click();
  await page.getByRole("heading", { level: 1, exact: true, name: "original-copy" }).waitFor();
  const all = (await site.api.as(ADMIN(), "GET", "/api/v1/apps/crm/crons")).body as Cron[];
  expect(all.find(({ name }) => name === "original-copy")).toMatchObject({
    schedule: cron.schedule,
    timezone: "Europe/Paris",
    maxAttempts: 5,
  });
});

test("a manifest's cron says so, and gives its entry to copy", async () => {
  const [cron] = (await site.api.as(ADMIN(), "GET", "/api/v1/apps/billing/crons")).body as Cron[];
  if (cron === undefined) throw new Error("the manifest's cron is not there");
  const page = await site.open(editOf(cron), { as: ADMIN() });
  const context = page.context();
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByText("The manifest of billing declares this cron.").waitFor();
  await page.getByLabel("Attempts").fill("4");
  await page.getByRole("button", { name: "Copy the manifest's entry" }).click();
  await page.getByText("Copied the manifest's entry").waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(JSON.parse(copied)).toEqual({
    name: "dunning",
    schedule: "0 10 * * 1-5",
    timezone: "Europe/Berlin",
    maxAttempts: 4,
  });
});

test("a call over HTTP is filled in by rows that = and : go through", async () => {
  const page = await site.open("/crons/crm/new", { as: writer });
  await page.getByLabel("Name", { exact: true }).fill("caller");
  await page.getByLabel("Schedule", { exact: true }).fill("0 3 * * *");
  await page.getByRole("radio", { name: "HTTP" }).check();
  await page.getByLabel("URL").fill("ftp://example.com/hook");
  await page.getByRole("button", { name: "Add a header" }).click();
  await page.getByLabel("Name of header 1").fill("X-Filter");
  await page.getByLabel("Value of header 1").fill("a=b: c=d; Basic Zm9vOmJhcg==");
  await page.getByLabel("Success is").fill("200, 202-204");
  await page.getByLabel("Body").fill('{ "full": tru }');
  await page
    .getByText(/Not JSON/)
    .first()
    .waitFor();
  await page.getByLabel("Body").fill('{ "full": true }');
  await page.getByRole("button", { name: "Create cron" }).click();
  // What the server has against one part stands at that part.
  const url = page.getByLabel("URL");
  await page
    .getByText(/http or https/)
    .first()
    .waitFor();
  expect(await url.getAttribute("aria-invalid")).toBe("true");
  await url.fill("https://example.com/hook?a=b");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Create cron" }).click();
  await page.getByRole("heading", { level: 1, exact: true, name: "caller" }).waitFor();
  const all = (await site.api.as(ADMIN(), "GET", "/api/v1/apps/crm/crons")).body as Cron[];
  const made = all.find(({ name }) => name === "caller");
  const target = {
    type: "http",
    url: "https://example.com/hook?a=b",
    headers: { "X-Filter": "a=b: c=d; Basic Zm9vOmJhcg==" },
    expectedStatus: [200, "202-204"],
    body: { full: true },
  };
  expect(made?.target).toEqual(target);

  // Opened again, it is what it was; what no form would give back is left to its JSON.
  if (made === undefined) throw new Error("the cron is not there");
  await page.goto(editOf(made));
  expect(await page.getByLabel("Value of header 1").inputValue()).toBe(
    "a=b: c=d; Basic Zm9vOmJhcg==",
  );
  await page.getByText("Nothing changed").waitFor();
  await page.getByLabel("Tags").fill("hook");
  const [request] = await Promise.all([
    page.waitForRequest((sent) => sent.method() === "PATCH"),
    page.getByRole("button", { name: "Save", exact: true }).click(),
  ]);
  expect(request.postDataJSON()).toEqual({ tags: ["hook"] });
});

test("a zone is found by its city or an old name, and is one the database knows", async () => {
  const page = await site.open("/crons/crm/new", { as: writer, zone: "Asia/Tokyo" });
  const zone = page.getByLabel("Time zone");
  await zone.click();
  const options = page.getByRole("option");
  await options.nth(5).waitFor();
  expect(await options.first().textContent()).toMatch(/^Asia\/Tokyo.*yours/);
  await zone.fill("new york");
  await page.getByRole("option", { name: /^America\/New_York/ }).click();
  expect(await zone.inputValue()).toBe("America/New_York");
  await zone.fill("kolk");
  await page.getByRole("option", { name: /^Asia\/Kolkata/ }).waitFor();
  await zone.fill("Europe/Berln");
  await zone.press("Tab");
  await page.getByLabel("Schedule", { exact: true }).fill("0 0 31 * *");
  await page.getByRole("alert").filter({ hasText: /Berln/ }).waitFor();
  expect(await zone.getAttribute("aria-invalid")).toBe("true");
  await zone.fill("GMT");
  await zone.press("Tab");
  // Not wrong, and perhaps not what is meant: said, with what may be.
  await page.getByRole("button", { name: "Use 0 0 $ * *" }).click();
  expect(await page.getByLabel("Schedule", { exact: true }).inputValue()).toBe("0 0 $ * *");
});

test("whoever may only look is told what is missing", async () => {
  const reader = await site.api.caller("grace", ["app:crm:cron.read"]);
  const cron = await makeCron("untouchable");
  const page = await site.open(editOf(cron), { as: reader });
  await page.getByText("You may look at untouchable, and not change it").waitFor();
  await page.getByText("app:crm:cron.write").waitFor();
  expect(await page.getByRole("button", { name: /Save/ }).count()).toBe(0);
  await page.goto("/crons/crm/new");
  await page.getByText("You may not make crons in crm").waitFor();
  await expectAccessible(page);
});

test.each([
  { theme: "dark", width: 1280, height: 900 },
  { theme: "light", width: 390, height: 844 },
] as const)("the editor is for everybody: $theme at $width", async (look) => {
  const cron = await makeCron(`look-${look.theme}`, { timezone: "Europe/Berlin" });
  const page = await site.open(editOf(cron), { as: writer, ...look });
  await page.getByRole("table", { name: "Next 10 slots" }).waitFor();
  await expectAccessible(page);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  expect(wide).toBe(false);
});
