import { afterAll, beforeAll, expect, test } from "vitest";
import { createPrincipal } from "../../src/db/principals.js";
import { createRole } from "../../src/db/roles.js";
import { claimJobs } from "../../src/db/jobs.js";
import { type Caller, TestApi } from "./api.js";

let api: TestApi;
let own: Caller;
let manager: Caller;
let reader: Caller;
beforeAll(async () => {
  api = await TestApi.start();
  await api.install("crm", { crons: [{ name: "declared", schedule: "0 9 * * *" }] });
  const cron = (...words: string[]) => words.map((word) => `app:crm:cron.${word}`);
  own = await api.caller("own", cron("read", "write", "trigger"));
  manager = await api.caller("manager", [
    ...cron("read", "write", "manage_others"),
    "app:crm:job.read",
  ]);
  reader = await api.caller("reader", [...cron("read"), "app:crm:job.read"]);
});
afterAll(() => api[Symbol.asyncDispose]());

const cans = async (caller: Caller, path: string) => {
  const answer = await api.as(caller, "GET", path);
  expect(answer.status, answer.text).toBe(200);
  const crons = answer.body as { name: string; can: string[] }[];
  return Object.fromEntries(crons.map(({ name, can }) => [name, can]));
};

test("each cron says what its reader may do with it, as changing it is held to", async () => {
  const crons = "/api/v1/apps/crm/crons";
  const body = { name: "mine", schedule: "0 10 * * *" };
  const made = await api.as(own, "POST", crons, { body });
  expect(made.body).toMatchObject({ can: ["write", "trigger"] });
  const { id } = made.body as { id: string };
  expect(await cans(own, crons)).toEqual({ declared: [], mine: ["write", "trigger"] });
  expect(await cans(own, "/api/v1/crons")).toEqual({ mine: ["write", "trigger"] });
  expect(await cans(manager, crons)).toEqual({
    declared: ["write", "readJobs"],
    mine: ["write", "readJobs"],
  });
  expect(await cans(reader, crons)).toEqual({ declared: ["readJobs"], mine: ["readJobs"] });
  const all = ["write", "trigger", "readJobs", "writeJobs", "readAudit"];
  expect((await cans(api.admin, crons)).declared).toEqual(all);

  const one = await api.as(reader, "GET", `${crons}/${id}`);
  expect(one.body).toMatchObject({ can: ["readJobs"] });
  const patched = await api.as(manager, "PATCH", `${crons}/${id}`, { body: { enabled: false } });
  expect(patched.body).toMatchObject({ can: ["write", "readJobs"] });
  // What is not in the list is refused, and what is in it is not.
  const denied = await api.as(manager, "POST", `${crons}/${id}/trigger`);
  expect(denied.status).toBe(403);
  expect((await api.as(own, "POST", `${crons}/${id}/trigger`)).status).toBe(200);
  expect((await api.as(reader, "DELETE", `${crons}/${id}`)).status).toBe(403);
});

test("a service account's cron may be changed by who holds all that it holds", async () => {
  await createRole(api.sql, {
    name: "bot",
    permissions: ["app:crm:cron.read", "app:crm:cron.write"],
  });
  await createPrincipal(api.sql, "bot", { kind: "service", roles: ["bot"] });
  const body = { name: "lent", schedule: "0 11 * * *", runAs: "bot" };
  const made = await api.as(api.admin, "POST", "/api/v1/apps/crm/crons", { body });
  expect(made.status, made.text).toBe(201);
  const path = `/api/v1/apps/crm/crons/${(made.body as { id: string }).id}`;
  expect((await api.as(own, "GET", path)).body).toMatchObject({ can: ["write", "trigger"] });
  expect((await api.as(own, "PATCH", path, { body: { enabled: false } })).status).toBe(200);
});

test("each job says what may be done with it as it is", async () => {
  const jobs = "/api/v1/apps/crm/jobs";
  const list = async (caller: Caller, query = "") => {
    const answer = await api.as(caller, "GET", `${jobs}${query}`);
    expect(answer.status, answer.text).toBe(200);
    return answer.body as {
      items: { msgId: number; status: string; can: string[] }[];
      count?: { count: number; capped: boolean };
    };
  };
  await api.sql`select carillon.cancel_jobs(app => 'crm', filter => '{}')`;
  await api.as(api.admin, "POST", jobs);
  const body = { runAt: "2099-01-01T00:00:00Z" };
  await api.as(api.admin, "POST", jobs, { body });
  await claimJobs(api.sql, ["crm"], "w", 1, 60);
  await api.as(api.admin, "POST", jobs);
  const { items } = await list(api.admin);
  expect(items.map(({ status, can }) => [status, can])).toEqual([
    ["queued", ["cancel", "update"]],
    ["pending", ["cancel", "update"]],
    ["running", ["cancel"]],
    ["canceled", ["retry"]],
  ]);
  expect((await list(reader)).items.map(({ can }) => can)).toEqual([[], [], [], []]);
  const one = await api.as(api.admin, "GET", `${jobs}/${items[0]?.msgId}`);
  expect(one.body).toMatchObject({ can: ["cancel", "update"] });
});

test("a list of jobs is counted where that is asked for, by its filters", async () => {
  const count = async (query: string) => {
    const answer = await api.as(api.admin, "GET", `/api/v1/apps/crm/jobs?${query}`);
    expect(answer.status, answer.text).toBe(200);
    return (answer.body as { count?: unknown }).count;
  };
  expect(await count("limit=1")).toBeUndefined();
  expect(await count("limit=1&count=false")).toBeUndefined();
  expect(await count("limit=1&count=true")).toEqual({ count: 4, capped: false });
  expect(await count("count=true&status=live")).toEqual({ count: 3, capped: false });
  expect(await count("count=true&status=canceled,running")).toEqual({ count: 2, capped: false });
  expect(await count("count=true&tag=none")).toEqual({ count: 0, capped: false });
  const jobs = Array.from({ length: 1000 }, () => ({}));
  const many = await api.as(api.admin, "POST", "/api/v1/apps/crm/jobs/batch", { body: { jobs } });
  expect(many.status).toBe(201);
  expect(await count("limit=1&count=true")).toEqual({ count: 1004, capped: false });
  await api.sql`
    select carillon.enqueue_jobs(app => 'crm', jobs => (select jsonb_agg('{}'::jsonb) from generate_series(1, 1000)))
    from generate_series(1, 10)`;
  expect(await count("limit=1&count=true")).toEqual({ count: 10_000, capped: true });
  expect(await count("limit=1&count=true&status=finished")).toEqual({ count: 1, capped: false });
});
