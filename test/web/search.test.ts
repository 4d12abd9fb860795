import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cronSearch, RANGES, TABS, TICK_OUTCOMES } from "../../web/src/screens/cron/search.js";
import { cronsSearch } from "../../web/src/screens/crons/search.js";
import { jobsSearch } from "../../web/src/screens/jobs/search.js";
import { CRON_STATES, CRON_TARGETS } from "../../web/src/crons/types.js";
import { upcomingSearch } from "../../web/src/screens/upcoming/search.js";
import { appSearch } from "../../web/src/url/app-search.js";
import {
  buildQuery,
  defineSearch,
  instant,
  parseQuery,
  type SearchSchema,
  whole,
} from "../../web/src/url/search.js";

const sample = defineSearch<{ since: string | undefined; limit: number }>({
  since: instant(),
  limit: whole(1, 500, 50),
});

/** Every screen's parameters; a new screen's belong here. */
const SCHEMAS: Record<string, SearchSchema<object>> = {
  app: appSearch as SearchSchema<object>,
  crons: cronsSearch as SearchSchema<object>,
  cron: cronSearch as SearchSchema<object>,
  upcoming: upcomingSearch as SearchSchema<object>,
  jobs: jobsSearch as SearchSchema<object>,
  sample: sample as SearchSchema<object>,
};

const words = ["", "crm", "cron", "utc", "mine", "x y", "a=b&c", "%", "ü→", "0", "51", "-1"];
const values = fc.oneof(
  fc.constantFrom(...words, ...CRON_STATES, ...CRON_TARGETS, ...TABS, ...TICK_OUTCOMES, ...RANGES),
  fc.constantFrom("failing,ok,failing", "skipped,none", "2026-11-23T13:55:48Z", "2026-13-99T1Z"),
  fc.string({ unit: "grapheme", maxLength: 250 }),
);

describe.each(Object.entries(SCHEMAS))("the parameters of %s", (_, schema) => {
  const names = Object.keys(schema.parse({}));
  const raw = fc.dictionary(fc.constantFrom(...names, "other"), values);

  test("come back as they were from the URL they make", () => {
    fc.assert(
      fc.property(raw, (given) => {
        const url = buildQuery(schema.repair(given));
        expect(buildQuery(schema.build(schema.parse(parseQuery(url))))).toBe(url);
        expect(schema.parse(parseQuery(url))).toEqual(schema.parse(given));
      }),
    );
  });

  test("leave out what is as usual", () => {
    expect(buildQuery(schema.build(schema.parse({})))).toBe("");
  });
});

test("what a URL cannot mean counts as nothing, and what is nobody's is left alone", () => {
  const parsed = cronsSearch.parse({ state: "failing,exploded,ok", order: "sideways", q: 7 });
  expect(parsed).toEqual({
    ...{ q: "", state: ["failing", "ok"], target: [], order: "attention" },
  });
  expect(sample.parse({ since: "yesterday", limit: "9999" })).toEqual({
    since: undefined,
    limit: 50,
  });
});

test("URLs stay readable", () => {
  const state = {
    ...{ q: "daily digest", state: ["failing", "late"] as const, target: ["http"] as const },
    order: "name" as const,
  };
  expect(buildQuery(cronsSearch.build(state))).toBe(
    "?q=daily+digest&state=failing,late&target=http&order=name",
  );
});
