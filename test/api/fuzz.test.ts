import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Components, type Json } from "../../src/api/openapi/json-schema.js";
import type { Route } from "../../src/api/route.js";
import { ROUTES } from "../../src/api/routes/index.js";
import { type Answer, TestApi } from "./api.js";
import { asBytes, hostileText, ofSchema } from "./hostile.js";
import { label, sampleOf } from "./samples.js";

/*
 * Requests made from the schemas of the route table, from good over almost good to malicious.
 * FUZZ=20000 sends so many; the suite sends some hundreds. FUZZ_SEED repeats a run.
 */
const RUNS = Number(process.env.FUZZ ?? 400);

let api: TestApi;
/** Ids of things that exist, by the route's path. */
const things = new Map<string, string>();
beforeAll(async () => {
  api = await TestApi.start({ rateLimit: 0 }, { lastsMs: 200 });
  await api.install("crm");
  for (const route of ROUTES) {
    // An app of its own to uninstall; all else happens in one.
    const { path } = await sampleOf(api, route, "crm");
    things.set(label(route), path.split("?")[0] ?? "");
  }
}, 300_000);
afterAll(() => api[Symbol.asyncDispose]());

interface Request {
  method: string;
  path: string;
  body: Uint8Array | undefined;
  headers: Record<string, string>;
}

const components = new Components({});

/** Text in a URL: encoded as it should be, or broken. */
const inUrl = hostileText.chain((text) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(encodeURIComponent(text.toWellFormed())) },
    { weight: 1, arbitrary: fc.constantFrom("%00", "%ff", "%c3%28", "%", "%zz", "a%2fb", "%25") },
  ),
);

/** Mostly a path of things that exist; hostile text in place of some of its parameters otherwise. */
const pathOf = (route: Route): fc.Arbitrary<string> => {
  const existing = fc.constant(route).map((it) => things.get(label(it)) ?? it.path);
  const parts = route.path.split("/");
  const broken = fc
    .tuple(...parts.map((part) => (part.startsWith("{") ? inUrl : fc.constant(part))))
    .map((all) => all.join("/"));
  const mixed = fc.tuple(existing, inUrl).map(([path, text]) => {
    const at = path.lastIndexOf("/");
    return route.path.includes("{") ? path.slice(0, at + 1) + text : path;
  });
  return fc.oneof(
    { weight: 8, arbitrary: existing },
    { weight: 1, arbitrary: broken },
    { weight: 1, arbitrary: mixed },
  );
};

const asText = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));

const queryOf = (route: Route): fc.Arbitrary<string> => {
  const { properties = {} } = components.of(route.query, "input") as Json & {
    properties?: Record<string, Json>;
  };
  const names = fc.constantFrom(...Object.keys(properties), "x", "__proto__", "limit");
  const good = (name: string) =>
    name in properties ? ofSchema(properties[name] ?? {}).map(asText) : hostileText;
  const known = Object.keys(properties);
  const pair = fc.oneof(
    {
      weight: 9,
      arbitrary: fc
        .constantFrom(...(known.length > 0 ? known : ["x"]))
        .chain((name) => fc.tuple(fc.constant(name), good(name))),
    },
    { weight: 1, arbitrary: fc.tuple(names, hostileText) },
  );
  // Most queries may be left out, and where there is nothing to ask, mostly nothing is.
  const most = fc.oneof(
    { weight: known.length > 0 ? 1 : 6, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(pair, { maxLength: 3 }) },
  );
  return most.map((pairs) =>
    pairs.map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`).join("&"),
  );
};

const headers = fc.record(
  {
    "idempotency-key": fc.constantFrom("a", "b", "'", "x".repeat(300), "two words"),
    "if-match": fc.constantFrom("*", '"1"', '"1.x"', "W/", "1", '"'),
    "if-none-match": fc.constantFrom("*", '"x"', ","),
    "content-type": fc.constantFrom("text/plain", "application/json; charset=utf-16", "json", ""),
    "content-encoding": fc.constantFrom("gzip", "br", "identity", "x"),
    "x-request-id": fc.constantFrom("ok", "not ok", "x".repeat(100)),
    "last-event-id": fc.constantFrom("1", "x", "99999999999"),
  },
  { requiredKeys: [] },
);
const someHeaders = fc.oneof(
  { weight: 4, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: headers },
);

const requestTo = (route: Route): fc.Arbitrary<Request> => {
  const nothing = fc.constant(undefined);
  const written = ofSchema(route.body ? components.of(route.body, "input") : {}).chain(asBytes);
  const optional = route.body?.safeParse(undefined).success !== false;
  const body =
    route.method === "get"
      ? nothing
      : fc.oneof(
          { weight: optional ? 4 : 1, arbitrary: nothing },
          { weight: route.body ? 12 : 1, arbitrary: written },
        );
  return fc
    .tuple(pathOf(route), queryOf(route), body, someHeaders)
    .map(([path, query, bytes, more]) => ({
      method: route.method.toUpperCase(),
      path: query === "" ? path : `${path}?${query}`,
      body: bytes?.length === 0 ? undefined : bytes,
      headers: more,
    }));
};

// The app stays, and so does who asks: everything else may go.
const fuzzed = ROUTES.filter((route) => label(route) !== "DELETE /api/v1/apps/{appId}");
const anyRequest = fc.constantFrom(...fuzzed).chain(requestTo);

/**
 * Whether anything has changed, at the cost of counting: an insert, an update and a delete each
 * show in the number or the newest transaction of a table's rows.
 */
async function stamp(): Promise<string> {
  stampQuery ??= await makeStampQuery();
  const rows = await api.sql.unsafe<{ name: string; stamp: string }[]>(stampQuery);
  return rows.map(({ name, stamp }) => `${name} ${stamp}`).join("\n");
}
let stampQuery: string | undefined;

async function makeStampQuery(): Promise<string> {
  const tables = await api.sql<{ name: string }[]>`
    select c.oid::regclass::text as name from pg_class c
    where c.relkind = 'r'
      and c.relnamespace in ('carillon'::regnamespace, 'pgmq'::regnamespace)
      -- A key is marked as used, whatever it is used for.
      and c.relname <> 'api_keys'
    order by 1`;
  const parts = tables.map(
    ({ name }) =>
      `select '${name}' as name, count(*) || ' ' || coalesce(max(xmin::text::bigint), 0) as stamp from ${name}`,
  );
  parts.push(`select 'api_keys', count(*) || ' ' || count(revoked_at) from carillon.api_keys`);
  return parts.join(" union all ");
}

/** What no answer may hold: words of the driver, of the server's code, or of ours. */
const LEAKS =
  /PL\/pgSQL|PostgresError|syntax error at|violates \w+.* constraint|relation "|node_modules|\.js:\d+|carillon\._|search_path|SQLSTATE|ECONN/;

const outcomes = new Map<string, number>();

async function holds({ method, path, body, headers }: Request): Promise<void> {
  const before = await stamp();
  const started = performance.now();
  let answer: Answer;
  try {
    answer = await api.as(api.admin, method, path, {
      ...(body === undefined ? {} : { body }),
      headers,
    });
  } catch (error) {
    // What fetch itself will not send never reached the API.
    const { message, cause } = error as Error;
    const why = cause instanceof Error ? cause.message : message;
    if (error instanceof TypeError && /header|byte/i.test(why)) return;
    throw error;
  }
  const { status, text } = answer;
  outcomes.set(String(status), (outcomes.get(String(status)) ?? 0) + 1);
  expect(status, text.slice(0, 500)).toBeLessThan(500);
  expect(performance.now() - started).toBeLessThan(10_000);
  if (status >= 400) expect(text).not.toMatch(LEAKS);
  if (status >= 400 || method === "GET") expect(await stamp()).toBe(before);
}

test(
  `${RUNS} requests: none breaks anything, hangs, leaks, or changes what it was refused`,
  async () => {
    const own = Object.getOwnPropertyNames(Object.prototype).sort();
    await fc.assert(fc.asyncProperty(anyRequest, holds), {
      numRuns: RUNS,
      endOnFailure: RUNS > 1000,
      ...(process.env.FUZZ_SEED === undefined ? {} : { seed: Number(process.env.FUZZ_SEED) }),
    });
    // Prototypes are as they were.
    expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(own);
    // They were no mere noise: many were good enough to be done, and many were not.
    const of = (first: string) =>
      [...outcomes].reduce((sum, [status, n]) => sum + (status.startsWith(first) ? n : 0), 0);
    console.log("fuzz:", Object.fromEntries([...outcomes].sort()));
    expect(of("2")).toBeGreaterThan(RUNS / 20);
    expect(of("4")).toBeGreaterThan(RUNS / 5);
  },
  Math.max(120_000, RUNS * 100),
);
