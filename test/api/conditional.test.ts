import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Answer } from "./api.js";
import { problemOf, TestApi } from "./api.js";

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start();
  await api.install("crm");
});
afterAll(() => api[Symbol.asyncDispose]());

const CRONS = "/api/v1/apps/crm/crons";
const tagOf = (answer: Answer) => answer.headers.get("etag") ?? "";
const versionOf = (answer: Answer) => (answer.body as { version: number }).version;
const as = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  api.as(api.admin, method, path, { body, headers });

let count = 0;
async function newCron() {
  count += 1;
  const created = await as("POST", CRONS, { name: `cron-${count}`, schedule: "0 9 * * *" });
  expect(created.status).toBe(201);
  return { path: `${CRONS}/${(created.body as { id: string }).id}`, created };
}

describe("If-Match", () => {
  test("lets a change through that is based on what there is, and no other", async () => {
    const { path, created } = await newCron();
    expect(tagOf(created)).toMatch(/^"1\.[\w-]{22}"$/);
    const mine = await as("PATCH", path, { timezone: "UTC" }, { "if-match": tagOf(created) });
    expect([mine.status, versionOf(mine)]).toEqual([200, 2]);
    const late = await as("PATCH", path, { timezone: "CET" }, { "if-match": tagOf(created) });
    expect(late.status).toBe(412);
    expect(problemOf(late)).toMatchObject({
      code: "version_mismatch",
      detail: `cron "cron-${count}" is at version 2 by now, not 1`,
      rule: expect.stringMatching(/^it was changed at \d{4}-/) as string,
    });
    const now = await as("GET", path);
    expect(now.body).toEqual(mine.body);
    expect(tagOf(now)).toBe(tagOf(mine));
  });

  test("of many writers at once lets one win", async () => {
    const { path, created } = await newCron();
    const all = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        as("PATCH", path, { payload: { n } }, { "if-match": tagOf(created) }),
      ),
    );
    expect(all.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(7).fill(412)]);
  });

  test("keeps a cron from being deleted by who has not seen its last change", async () => {
    const { path, created } = await newCron();
    await as("PATCH", path, { enabled: false });
    const refused = await as("DELETE", path, undefined, { "if-match": tagOf(created) });
    expect(refused.status).toBe(412);
    const now = await as("GET", path);
    const weak = { "if-match": `W/${tagOf(now)}` };
    expect((await as("DELETE", path, undefined, weak)).status).toBe(200);
  });

  test("does not mind that a cron has fired since, nor a change to what it was", async () => {
    const { path } = await newCron();
    const read = await as("GET", path);
    await api.sql`update carillon.crons set next_fire_at = next_fire_at + interval '1 day'`;
    expect(tagOf(await as("GET", path))).not.toBe(tagOf(read));
    const same = await as("PATCH", path, { enabled: true }, { "if-match": tagOf(read) });
    expect([same.status, versionOf(same)]).toEqual([200, 1]);
    const other = await as("PATCH", path, { enabled: false }, { "if-match": tagOf(read) });
    expect([other.status, versionOf(other)]).toEqual([200, 2]);
  });

  test("* is any version, and a cron that is not there is 404", async () => {
    const { path } = await newCron();
    expect((await as("PATCH", path, {}, { "if-match": "*" })).status).toBe(200);
    const nowhere = `${CRONS}/00000000-0000-4000-8000-000000000000`;
    expect((await as("PATCH", nowhere, {}, { "if-match": '"1"' })).status).toBe(404);
  });

  test.each(["1", "abc", '"abc"', '"1", "2"', '"-1"', '"1.5.5"', '"99999999999999999999"'])(
    "%s is refused",
    async (tag) => {
      const { path, created } = await newCron();
      const answer = await as("PATCH", path, { enabled: false }, { "if-match": tag });
      expect(answer.status).toBe(400);
      expect(problemOf(answer).errors?.[0]?.field).toBe("If-Match");
      expect((await as("GET", path)).body).toEqual(created.body);
    },
  );

  test("is refused rather than ignored where nothing has versions", async () => {
    const path = "/api/v1/apps/crm/manifest";
    const answer = await as("PUT", path, { crons: [] }, { "if-match": '"1"' });
    expect(answer.status).toBe(400);
    expect(problemOf(answer).detail).toBe("If-Match is not supported here");
  });

  test("a deploy and a pause by the system count as changes", async () => {
    const manifest = (schedule: string) => ({ crons: [{ name: "declared", schedule }] });
    const put = (schedule: string) => as("PUT", "/api/v1/apps/crm/manifest", manifest(schedule));
    await put("0 9 * * *");
    const version = async () => {
      const list = (await as("GET", CRONS)).body as { name: string; version: number }[];
      return list.find(({ name }) => name === "declared")?.version;
    };
    expect(await version()).toBe(1);
    await put("0 9 * * *");
    expect(await version()).toBe(1);
    await put("0 10 * * *");
    expect(await version()).toBe(2);
    await api.sql`
      select carillon._pause_cron(id, 'too many') from carillon.crons where name = 'declared'`;
    expect(await version()).toBe(3);
  });
});

describe("If-None-Match", () => {
  test("answers 304 without a body until something has changed", async () => {
    const { path } = await newCron();
    for (const at of [CRONS, path, "/api/v1/crons", "/api/v1/apps"]) {
      const first = await as("GET", at);
      const again = (method: string, tag: string) =>
        as(method, at, undefined, { "if-none-match": tag });
      for (const tag of [tagOf(first), `"x", W/${tagOf(first)}`, "*"]) {
        const same = await again("GET", tag);
        expect([same.status, same.text], `${at} ${tag}`).toEqual([304, ""]);
        expect(tagOf(same)).toBe(tagOf(first));
        expect(same.headers.get("cache-control")).toBe("no-store");
      }
      expect((await again("HEAD", tagOf(first))).status).toBe(304);
      expect((await again("GET", '"other"')).status).toBe(200);
    }
    const list = await as("GET", CRONS);
    await as("PATCH", path, { enabled: false });
    const changed = await as("GET", CRONS, undefined, { "if-none-match": tagOf(list) });
    expect(changed.status).toBe(200);
  });

  test("lets nobody see what is not for them", async () => {
    const tag = tagOf(await as("GET", CRONS));
    const headers = { "if-none-match": tag };
    expect((await api.request("GET", CRONS, { headers })).status).toBe(401);
    const nobody = await api.caller("nobody", []);
    expect((await api.as(nobody, "GET", CRONS, { headers })).status).toBe(403);
  });
});
