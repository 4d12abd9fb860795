import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { problemOf, TestApi, type Answer } from "./api.js";

let api: TestApi;
let cronId: string;
let before: unknown;

beforeAll(async () => {
  api = await TestApi.start();
  await api.install("crm", { crons: [{ name: "daily", schedule: "0 9 * * *" }] });
  const list = await api.as(api.admin, "GET", "/api/v1/apps/crm/crons");
  cronId = (list.body as { id: string }[])[0]?.id ?? "";
});
afterAll(() => api[Symbol.asyncDispose]());

/** Nothing changed: every test here sends only what is refused. */
const everything = () => api.sql`
  select (select jsonb_agg(a) from carillon.apps a) as apps,
         (select jsonb_agg(c) from carillon.crons c) as crons,
         (select count(*) from pgmq.q_jobs) as jobs`;
beforeEach(async () => {
  before = await everything();
});
afterEach(async () => {
  expect(await everything()).toEqual(before);
});

const CRONS = "/api/v1/apps/crm/crons";
const JOBS = "/api/v1/apps/crm/jobs";
const good = { name: "good", schedule: "0 9 * * *" };
const fieldsOf = (answer: Answer) => problemOf(answer).errors?.map(({ field }) => field);

async function refused(method: string, path: string, body?: unknown): Promise<Answer> {
  const answer = await api.as(api.admin, method, path, { body });
  expect(answer.status, answer.text).toBe(400);
  return answer;
}

describe("a cron", () => {
  const badFields: [string, unknown, string, string][] = [
    ["name", undefined, "name", "is required"],
    ["name", null, "name", "must be a string, got null"],
    ["name", 5, "name", "must be a string, got a number"],
    ["name", "", "name", "must be 1 to 64 letters, digits, dashes or underscores"],
    ["name", "a".repeat(65), "name", "must be 1 to 64"],
    ["name", "with space", "name", "must be 1 to 64"],
    ["name", "emoji😀", "name", "must be 1 to 64"],
    ["name", `a"b`, "name", "must be 1 to 64"],
    ["name", "a;b", "name", "must be 1 to 64"],
    ["name", "a\n", "name", "must be 1 to 64"],
    ["schedule", undefined, "schedule", "is required"],
    ["schedule", 5, "schedule", "must be a string, got a number"],
    ["schedule", "x".repeat(201), "schedule", "must be at most 200 characters long"],
    ["timezone", 5, "timezone", "must be a string"],
    ["overlapPolicy", "parallel", "overlapPolicy", 'must be "skip" or "queue"'],
    ["overlapPolicy", 1, "overlapPolicy", 'must be "skip" or "queue"'],
    ["payload", [], "payload", "must be a JSON object, got an array"],
    ["payload", "text", "payload", "must be a JSON object, got a string"],
    ["payload", 5, "payload", "must be a JSON object, got a number"],
    ["payload", true, "payload", "must be a JSON object, got a boolean"],
    ["enabled", "yes", "enabled", "must be true or false, got a string"],
    ["method", "", "method", "must not be empty"],
    ["jitter", -1, "jitter", "must be at least 0"],
    ["jitter", 86_401, "jitter", "must be at most 86400"],
    ["jitter", 1.5, "jitter", "must be a whole number"],
    ["startsAt", "tomorrow", "startsAt", "must be an RFC 3339 time with an offset"],
    ["startsAt", "2026-05-08T10:30", "startsAt", "must be an RFC 3339 time with an offset"],
    ["startsAt", "2026-02-30T10:30:00Z", "startsAt", "must be an RFC 3339 time"],
    ["endsAt", "infinity", "endsAt", "must be an RFC 3339 time"],
    ["endsAt", "0000-01-01T00:00:00Z", "endsAt", "must be an RFC 3339 time"],
    ["dst", "skip", "dst", "must be a JSON object, got a string"],
    ["dst", { gap: "jump" }, "dst.gap", 'must be "shift" or "skip"'],
    ["dst", { fold: 1 }, "dst.fold", 'must be "first" or "both"'],
    ["dst", { gaps: "skip" }, "dst.gaps", "is not a known field"],
    ["maxAttempts", 0, "maxAttempts", "must be at least 1"],
    ["retryBackoff", "2", "retryBackoff", "must be a number, got a string"],
    ["tags", "nightly", "tags", "must be an array"],
    ["tags", ["a", 5], "tags[1]", "must be a string"],
    ["expiresAfter", 0.5, "expiresAfter", "must be a whole number"],
    ["maxConcurrency", 0, "maxConcurrency", "must be at least 1"],
    ["retries", 3, "retries", "is not a known field"],
    ["id", "x", "id", "is not a known field"],
    ["overlap_policy", "skip", "overlap_policy", "is not a known field"],
  ];
  test.each(badFields)("with %s %j names %s: %s", async (name, value, field, rule) => {
    const answer = await refused("POST", CRONS, { ...good, [name]: value });
    expect(fieldsOf(answer)).toEqual([field]);
    expect(problemOf(answer).errors?.[0]?.message).toContain(rule);
    expect(problemOf(answer)).toMatchObject({ code: "invalid_input", title: "Invalid input" });
    if (value !== undefined) {
      const patch = await refused("PATCH", `${CRONS}/${cronId}`, { [name]: value });
      expect(fieldsOf(patch)).toEqual([field]);
    }
  });

  test.each([
    ["@daily", "Write 0 0 * * *."],
    ["0 9 * * MON", ""],
    ["0 9 * *", "minute, hour, day-of-month, month and day-of-week"],
    ["0 0 9 * * *", ""],
    ["0 seconds", ""],
    ["60 seconds", "every 1 minutes"],
    ["abc seconds", ""],
    ["99 * * * *", ""],
    ["*/0 * * * *", ""],
    ["5-1 * * * *", ""],
    ["0 0 31 2 *", ""],
    ["0 9 * * *; drop table x", ""],
    ["   ", ""],
    ["", "For example: 0 9 * * 1-5."],
    ["every 3 fortnights", ""],
    ["at noon", ""],
  ])("with schedule %j gets the parser's own words", async (schedule, hint) => {
    const answer = await refused("POST", CRONS, { ...good, schedule });
    expect(fieldsOf(answer)).toEqual(["schedule"]);
    expect(problemOf(answer)).toMatchObject({ code: "invalid_schedule" });
    expect(problemOf(answer).rule).toBeTruthy();
    expect(problemOf(answer).hint).toContain(hint);
    const patch = await refused("PATCH", `${CRONS}/${cronId}`, { schedule });
    expect(problemOf(patch).code).toBe("invalid_schedule");
  });

  test.each(["EST", "+02:00", "EST5EDT", "America/Nowhere", "../etc/passwd", "GMT\n", ""])(
    "with time zone %j gets the server's own words",
    async (timezone) => {
      const answer = await refused("POST", CRONS, { ...good, timezone });
      expect(fieldsOf(answer)).toEqual(["timezone"]);
      expect(problemOf(answer)).toMatchObject({ code: "invalid_timezone" });
      expect(problemOf(answer).hint).toBeTruthy();
    },
  );

  test("with many faults names them all", async () => {
    const answer = await refused("POST", CRONS, {
      name: "not a name",
      schedule: "@daily",
      timezone: "+02:00",
      overlapPolicy: "both",
      payload: [],
      extra: 1,
      more: 2,
    });
    expect(fieldsOf(answer)?.sort()).toEqual(
      ["extra", "more", "name", "overlapPolicy", "payload", "schedule", "timezone"].sort(),
    );
    expect(problemOf(answer).error).toBe(problemOf(answer).detail);
  });

  test("that ends before it starts, or takes a name, is refused", async () => {
    const startsAt = "2027-01-01T00:00:00Z";
    const endsAt = "2026-01-01T00:00:00Z";
    expect(fieldsOf(await refused("POST", CRONS, { ...good, startsAt, endsAt }))).toEqual([
      "endsAt",
    ]);
    const taken = await refused("POST", CRONS, { ...good, name: "daily" });
    expect(problemOf(taken)).toMatchObject({ code: "name_taken", errors: [{ field: "name" }] });
  });

  test.each([
    ["an array", []],
    ["null", "null"],
    ["a string", '"x"'],
    ["a number", "5"],
  ])("that is %s is refused as a whole", async (_, body) => {
    expect(fieldsOf(await refused("POST", CRONS, body))).toEqual(["body"]);
    expect(fieldsOf(await refused("PATCH", `${CRONS}/${cronId}`, body))).toEqual(["body"]);
  });

  test("cannot be had without a body", async () => {
    const answer = await refused("POST", CRONS);
    expect(problemOf(answer).errors).toEqual([{ field: "body", message: "is required" }]);
  });
});

describe("ids", () => {
  test.each(["x", "123", `${"0".repeat(8)}-0000-0000-0000-00000000000g`, "%00", "a'b"])(
    "%j is no cron's id",
    async (id) => {
      for (const path of ["", "/runs", "/ticks"]) {
        const answer = await refused("GET", `${CRONS}/${id}${path}`);
        expect(problemOf(answer).errors).toEqual([{ field: "id", message: "must be a UUID" }]);
      }
      await refused("DELETE", `${CRONS}/${id}`);
      await refused("POST", `${CRONS}/${id}/trigger`);
    },
  );

  test.each(["x", "-1", "1.5", "1e3", "9".repeat(16), "9".repeat(40), "0x1"])(
    "%j is no job's id",
    async (id) => {
      const answer = await refused("GET", `${JOBS}/${id}`);
      expect(problemOf(answer).errors).toEqual([
        { field: "id", message: "must be a whole number" },
      ]);
    },
  );

  test.each(["CRM", "a b", "-x", "a".repeat(64), "app:crm", "crm%00", "ä", "a.b"])(
    "%j is no app's id",
    async (appId) => {
      for (const path of ["crons", "jobs"]) {
        const answer = await refused("GET", `/api/v1/apps/${encodeURI(appId)}/${path}`);
        expect(fieldsOf(answer)).toEqual(["appId"]);
      }
      await refused("PUT", `/api/v1/apps/${encodeURI(appId)}/manifest`, {});
      await refused("DELETE", `/api/v1/apps/${encodeURI(appId)}`);
    },
  );

  test("a path that is not UTF-8 is refused", async () => {
    expect(fieldsOf(await refused("GET", "/api/v1/apps/%E0%A4%A/crons"))).toEqual(["path"]);
  });
});

describe("queries", () => {
  const limits = [
    "0",
    "-1",
    "x",
    "",
    "1.5",
    "1e2",
    "0x10",
    "501",
    "99999999999999999999",
    "+5",
    " 5",
  ];
  test.each(limits)("limit=%j is refused for runs and ticks", async (limit) => {
    for (const list of ["runs", "ticks"]) {
      const path = `${CRONS}/${cronId}/${list}?limit=${encodeURIComponent(limit)}`;
      const answer = await refused("GET", path);
      expect(problemOf(answer).errors).toEqual([
        { field: "limit", message: "must be a whole number from 1 to 500" },
      ]);
    }
  });

  test.each([
    ["limit=1001", "limit"],
    ["limit=1&limit=2", "limit"],
    ["status=done", "status[0]"],
    ["archived=yes", "archived"],
    ["archived=true&status=live", "archived"],
    ["cronId=x", "cronId"],
    ["lmit=5", "lmit"],
    ["limit[]=5", '["limit[]"]'],
    ["__proto__=x", "__proto__"],
  ])("jobs?%s is refused, naming %s", async (query, field) => {
    expect(fieldsOf(await refused("GET", `${JOBS}?${query}`))).toEqual([field]);
  });
});

describe("a job", () => {
  test.each([
    [{ payload: [] }, "payload"],
    [{ payload: "x" }, "payload"],
    [{ userId: "me" }, "userId"],
    [{ userId: "11111111-1111-4111-8111-111111111111" }, "userId"],
    [{ user_id: 5 }, "user_id"],
    [
      {
        userId: "11111111-1111-4111-8111-111111111111",
        user_id: "21111111-1111-4111-8111-111111111111",
      },
      "user_id",
    ],
    [{ runAt: "soon" }, "runAt"],
    [{ priority: 1.5 }, "priority"],
    [{ priority: 40_000 }, "priority"],
    [{ idempotencyKey: "" }, "idempotencyKey"],
    [{ maxAttempts: 0 }, "maxAttempts"],
    [{ retryDelay: -1 }, "retryDelay"],
    [{ retryBackoff: 11 }, "retryBackoff"],
    [{ timeout: 0 }, "timeout"],
    [{ expiresAt: "2020-01-01T00:00:00Z" }, "expiresAt"],
    [{ expiresAt: "later" }, "expiresAt"],
    [{ tags: "red" }, "tags"],
    [{ colour: "red" }, "colour"],
  ])("%j is refused, naming %s", async (body, field) => {
    expect(fieldsOf(await refused("POST", JOBS, body))).toEqual([field]);
  });

  test("payload over 1 MiB is refused", async () => {
    const payload = { big: "x".repeat(1024 * 1024) };
    expect(fieldsOf(await refused("POST", JOBS, { payload }))).toEqual(["payload"]);
    expect(fieldsOf(await refused("POST", CRONS, { ...good, payload }))).toEqual(["payload"]);
    const trigger = await refused("POST", `${CRONS}/${cronId}/trigger`, { payload });
    expect(fieldsOf(trigger)).toEqual(["payload"]);
  });

  test("trigger takes nothing but a payload", async () => {
    const path = `${CRONS}/${cronId}/trigger`;
    expect(fieldsOf(await refused("POST", path, { payload: 1 }))).toEqual(["payload"]);
    expect(fieldsOf(await refused("POST", path, { now: true }))).toEqual(["now"]);
  });
});

describe("a manifest", () => {
  test.each([
    [{ crons: {} }, ["crons"]],
    [{ crons: [null] }, ["crons[0]"]],
    [{ crons: [{}] }, ["crons[0].name", "crons[0].schedule"]],
    [{ crons: [good, { ...good, name: "x", enabled: 1 }] }, ["crons[1].enabled"]],
    [{ crons: [good, good] }, ["crons[1].name"]],
    [{ name: 5 }, ["name"]],
    [{ maxConcurrency: 0 }, ["maxConcurrency"]],
    [{ permissions: "all" }, ["permissions"]],
    [{ permissions: ["Not OK"] }, ["permissions[0]"]],
    [{ agent: 5 }, ["agent"]],
    [{ cron: [] }, ["cron"]],
    [{ id: "NO" }, ["id"]],
    [[], ["body"]],
  ])("%j is refused, naming %j", async (manifest, fields) => {
    const answer = await refused("PUT", "/api/v1/apps/crm/manifest", manifest);
    expect(fieldsOf(answer)).toEqual(fields);
  });
});
