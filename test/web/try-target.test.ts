import { afterAll, beforeAll, expect, test } from "vitest";
import { startDispatcher } from "../../src/dispatch/dispatcher.js";
import { readTargetsConfig } from "../../src/targets/config.js";
import type { Caller } from "../api/api.js";
import { Endpoint } from "../targets/http/endpoint.js";
import { expectAccessible, Site } from "./site.js";

let site: Site;
let writer: Caller;

beforeAll(async () => {
  site = await Site.empty();
  await site.api.install("crm", {
    crons: [
      {
        name: "meals",
        schedule: "0 9 * * *",
        target: {
          type: "faktory",
          jobType: "meal_reminder",
          queue: "reminders",
          instance: "staging",
        },
      },
    ],
  });
  writer = await site.api.caller("maria", ["app:crm:*"]);
});
afterAll(() => site[Symbol.asyncDispose]());

/** A dispatcher that may call this machine. */
async function dispatch() {
  const { sql, logger, keyring } = site.api;
  const targets = readTargetsConfig({ CARILLON_HTTP_ALLOW: "127.0.0.1" });
  const dispatcher = startDispatcher({ ...{ sql, targets, logger, keyring }, drainSeconds: 0.1 });
  await dispatcher.worker.ready;
  return dispatcher;
}

test("a test request is sent as the form has it, seen to its end, and nothing is saved", async () => {
  await using endpoint = await Endpoint.start((_request, response) => {
    response.writeHead(201).end("made");
  });
  await using _dispatcher = await dispatch();
  const page = await site.open("/crons/crm/new", { as: writer });
  await page.getByLabel("Payload").fill('{ "to": "ops" }');
  await page.getByLabel("Method", { exact: true }).first().fill("hello");
  await page.getByRole("radio", { name: "HTTP" }).check();
  await page.getByLabel("URL").fill(`${endpoint.url}/hook?a=b`);
  await page.getByRole("button", { name: "Add a header" }).click();
  await page.getByLabel("Name of header 1").fill("X-Filter");
  await page.getByLabel("Value of header 1").fill("a=b: c");
  await page.getByRole("button", { name: "Send a test request…" }).click();
  const dialog = page.getByRole("alertdialog", { name: "Send a test request?" });
  await dialog.getByText("One real request is sent").waitFor();
  await expectAccessible(page);
  expect(endpoint.received).toEqual([]);
  await dialog.getByRole("button", { name: "Send a test request" }).click();
  await page.getByText("completed").waitFor();
  await page.getByText(/^with 201 in /).waitFor();
  const [received] = endpoint.received;
  expect(received).toMatchObject({ method: "POST", url: "/hook?a=b" });
  expect(received?.headers["x-filter"]).toBe("a=b: c");
  expect(JSON.parse(received?.body ?? "")).toMatchObject({
    ...{ trigger: "api", payload: { to: "ops", method: "hello" } },
  });
  const jobs = await site.api.as(site.api.admin, "GET", "/api/v1/apps/crm/jobs?tag=test-request");
  expect((jobs.body as { items: unknown[] }).items).toHaveLength(1);
  const crons = await site.api.as(site.api.admin, "GET", "/api/v1/apps/crm/crons");
  expect(crons.body as unknown[]).toHaveLength(1);

  // It is a job as others are.
  page.on("dialog", (leaving) => void leaving.accept());
  await page.getByRole("link", { name: /^Job \d+$/ }).click();
  await page.getByRole("button", { name: "Leave without saving" }).click();
  await page.getByText("made").first().waitFor();
});

test("one that fails says how", async () => {
  await using endpoint = await Endpoint.start((_request, response) => {
    response.writeHead(500).end("no");
  });
  await using _dispatcher = await dispatch();
  const page = await site.open("/crons/crm/new", { as: writer });
  await page.getByRole("radio", { name: "HTTP" }).check();
  await page.getByLabel("URL").fill(endpoint.url);
  await page.getByRole("button", { name: "Send a test request…" }).click();
  await page.getByRole("button", { name: "Send a test request", exact: true }).click();
  await page.getByText(/^with 500 in /).waitFor();
  await page.getByText("failed", { exact: true }).waitFor();
});

test("what would not be taken is said at its field, and nothing is sent", async () => {
  const page = await site.open("/crons/crm/new", { as: writer });
  await page.getByRole("radio", { name: "HTTP" }).check();
  const url = page.getByLabel("URL");
  await url.fill("ftp://example.com/hook");
  const send = page.getByRole("button", { name: "Send a test request…" });
  await page.getByLabel("Payload").fill("[1]");
  await send.click();
  await page.getByText("This is a list.").waitFor();
  expect(await page.getByRole("alertdialog").count()).toBe(0);
  await page.getByLabel("Payload").fill("{}");
  await send.click();
  await page.getByRole("button", { name: "Send a test request", exact: true }).click();
  await page
    .getByText(/http or https/)
    .first()
    .waitFor();
  expect(await url.getAttribute("aria-invalid")).toBe("true");
});

test("whoever may not make jobs is told what is missing", async () => {
  const planner = await site.api.caller("planner", ["app:crm:cron.read", "app:crm:cron.write"]);
  const page = await site.open("/crons/crm/new", { as: planner });
  await page.getByRole("radio", { name: "Agent" }).check();
  const send = page.getByRole("button", { name: "Invoke it once…" });
  expect(await send.getAttribute("aria-disabled")).toBe("true");
  expect(await send.getAttribute("title")).toContain("app:crm:invoke is missing");
  await send.click({ force: true });
  expect(await page.getByRole("alertdialog").count()).toBe(0);
});

test("a queue of Faktory is offered where another cron of the app has it", async () => {
  const page = await site.open("/crons/crm/new", { as: writer });
  await page.getByLabel("Name", { exact: true }).fill("more-meals");
  await page.getByLabel("Schedule", { exact: true }).fill("0 18 * * *");
  await page.getByRole("radio", { name: "Faktory" }).check();
  await page.getByLabel("Job type").fill("dinner");
  await page.getByLabel("Job type").press("Tab");
  await page.getByRole("combobox", { name: "Queue" }).click();
  await page.getByRole("option", { name: "reminders" }).click();
  await page.getByLabel("Server").fill("stag");
  await page.getByRole("option", { name: "staging" }).click();
  await page.getByLabel("Arguments").fill('[{ "id": 1 }]');
  await expectAccessible(page);
  await page.getByRole("button", { name: "Create cron" }).click();
  await page.getByRole("heading", { level: 1, name: "more-meals" }).waitFor();
  const all = await site.api.as(
    site.api.admin,
    "GET",
    "/api/v1/cron-summaries?target=faktory&q=more",
  );
  expect(all.body).toMatchObject({
    items: [
      {
        cron: {
          target: {
            ...{ type: "faktory", jobType: "dinner", queue: "reminders", instance: "staging" },
            args: [{ id: 1 }],
          },
        },
      },
    ],
  });
});

test("agents and containers are filled in by their own fields", async () => {
  const page = await site.open("/crons/crm/new", { as: writer });
  await page.getByLabel("Name", { exact: true }).fill("brief");
  await page.getByLabel("Schedule", { exact: true }).fill("0 7 * * *");
  await page.getByRole("radio", { name: "Container" }).check();
  await page.getByRole("combobox", { name: "Image", exact: true }).fill("NOT AN IMAGE");
  await page.getByLabel("Command").fill("report\n--month=2026-05");
  await page.getByRole("button", { name: "Add an environment variable" }).click();
  await page.getByLabel("Name of environment 1").fill("LANG");
  await page.getByLabel("Value of environment 1").fill("C=x:y");
  await page.getByRole("button", { name: "Create cron" }).click();
  await page.getByText("Must be the name of an image").waitFor();
  expect(
    await page.getByRole("combobox", { name: "Image", exact: true }).getAttribute("aria-invalid"),
  ).toBe("true");
  await page
    .getByRole("combobox", { name: "Image", exact: true })
    .fill("registry.example/crm/report:2.1");
  await page.getByLabel("Memory in MiB").fill("512");
  const [request] = await Promise.all([
    page.waitForRequest((sent) => sent.method() === "POST" && sent.url().endsWith("/crons")),
    page.getByRole("button", { name: "Create cron" }).click(),
  ]);
  expect((request.postDataJSON() as { target: unknown }).target).toEqual({
    ...{ type: "container", image: "registry.example/crm/report:2.1", memory: 512 },
    ...{ cmd: ["report", "--month=2026-05"], env: { LANG: "C=x:y" } },
  });
  await page.getByRole("heading", { level: 1, name: "brief" }).waitFor();
  await page.getByRole("button", { name: "Edit" }).click();
  await page.getByRole("radio", { name: "Agent" }).check();
  await page.getByLabel("URL").fill("https://agent.example.com/invoke");
  await page.getByLabel("Timeout in seconds").fill("120");
  const [patch] = await Promise.all([
    page.waitForRequest((sent) => sent.method() === "PATCH"),
    page.getByRole("button", { name: "Save", exact: true }).click(),
  ]);
  expect(patch.postDataJSON()).toEqual({
    target: { type: "agent", url: "https://agent.example.com/invoke", timeout: 120 },
  });
});

test("what becomes of failures is said while it is typed", async () => {
  const page = await site.open("/crons/crm/new", { as: writer });
  await page.getByText("A job is tried once: it has failed with its first failure.").waitFor();
  await page.getByText("However many of its jobs fail, its slots go on firing.").waitFor();
  await page.getByLabel("Attempts").fill("3");
  await page.getByText("up to 3 times: again after 10 s, then after 20 s, give or take").waitFor();
  await page.getByLabel("First retry after").fill("1 min");
  await page.getByLabel("Then times").fill("1");
  await page.getByText("up to 3 times: again after 1 min, then after 1 min, give").waitFor();
  await page.getByLabel("Attempts").fill("6");
  await page.getByText("then after 1 min, and at last after 1 min").waitFor();
  await page.getByLabel("Pause after failures in a row").fill("5");
  await page.getByText("After 5 failed jobs in a row it pauses itself").waitFor();
  await page.getByLabel("Attempts").fill("lots");
  await page.getByText(/tried up to/).waitFor({ state: "detached" });
});
