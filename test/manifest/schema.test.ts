import { describe, expect, test } from "vitest";
import { z } from "zod";
import { CronPatch, CronSpec, Manifest } from "../../src/manifest/schema.js";
import { parseInput } from "../../src/schedules/parse-input.js";
import { CarillonError } from "../../src/errors.js";

const daily = { name: "daily", schedule: "0 9 * * *" };

/** Fields at fault and their messages. */
function faults(schema: z.ZodType, value: unknown): Record<string, string> {
  try {
    parseInput(schema, value, "manifest");
    return {};
  } catch (error) {
    if (!(error instanceof CarillonError)) throw error;
    return Object.fromEntries(error.fields.map(({ field, message }) => [field, message]));
  }
}

describe("Manifest", () => {
  test("takes the RootCX document's example as it is", () => {
    const manifest = {
      crons: [
        {
          name: "daily-check",
          schedule: "0 9 * * *",
          timezone: "America/New_York",
          method: "onDailyCheck",
          payload: { task: "check_replies" },
          overlapPolicy: "skip",
        },
      ],
    };
    expect(Manifest.parse(manifest)).toEqual(manifest);
  });

  test("takes every field, and adds no default of its own", () => {
    const manifest = {
      $schema: "./manifest.schema.json",
      id: "crm",
      name: "CRM",
      agent: { model: "x" },
      permissions: ["cron.read", "report.send"],
      crons: [
        {
          ...daily,
          timezone: null,
          method: "m",
          payload: null,
          overlapPolicy: "queue",
          enabled: false,
          startsAt: "2026-05-08T10:30:00Z",
          endsAt: "2026-05-08T10:30:00.5+02:00",
          jitter: 0,
          dst: { gap: "skip", fold: "both" },
        },
      ],
    };
    expect(parseInput(Manifest, manifest, "manifest")).toEqual(manifest);
    expect(parseInput(Manifest, {}, "manifest")).toEqual({});
    expect(parseInput(Manifest, { agent: true, crons: null }, "manifest")).toEqual({
      agent: true,
      crons: null,
    });
  });

  test("names every field at fault by its whole path", () => {
    const crons = [
      { ...daily, shedule: "x" },
      { name: "no good", schedule: "0 9 * * *", dst: { gap: "jump" } },
      { schedule: "nonsense" },
    ];
    expect(faults(Manifest, { crons, version: 2 })).toEqual({
      version: "is not a known field",
      "crons[0].shedule": "is not a known field",
      "crons[1].name": "must be 1 to 64 letters, digits, dashes or underscores",
      "crons[1].dst.gap": 'must be "shift" or "skip"',
      "crons[2].name": "is required",
      "crons[2].schedule":
        'must be 5 cron fields, "N seconds", "every N minutes|hours|days [from TIME]" or "at TIME"',
    });
  });

  test("refuses a name given twice, naming the later entry", () => {
    expect(faults(Manifest, { crons: [daily, { ...daily, name: "x" }, daily] })).toEqual({
      "crons[2].name": 'is given twice: crons[0] is named "daily" already',
    });
  });

  test.each([
    [null, "must be a JSON object, got null"],
    [[], "must be a JSON object, got an array"],
    ["x", "must be a JSON object, got a string"],
  ])("refuses %j as a whole", (value, message) => {
    expect(faults(Manifest, value)).toEqual({ manifest: message });
  });

  test("leaves a schedule that is only of the wrong form to the parser in the database", () => {
    const manifest = { crons: [{ ...daily, schedule: "@daily", timezone: "+02:00" }] };
    expect(parseInput(Manifest, manifest, "manifest")).toBe(manifest);
  });

  test("names a hundred faults at most", () => {
    const crons = Array.from({ length: 500 }, () => ({}));
    expect(Object.keys(faults(Manifest, { crons }))).toHaveLength(100);
  });
});

test("CronPatch is CronSpec with every field optional", () => {
  expect(Object.keys(CronPatch.shape)).toEqual(Object.keys(CronSpec.shape));
  expect(faults(CronPatch, {})).toEqual({});
  expect(Object.keys(faults(CronPatch, { name: null, schedule: null }))).toEqual([
    "name",
    "schedule",
  ]);
});

test("as JSON Schema describes every field, for editors", () => {
  const undescribed: string[] = [];
  const visit = (node: unknown, path: string): void => {
    const { properties } = node as { properties?: Record<string, object> };
    for (const [name, property] of Object.entries(properties ?? {})) {
      if (!("description" in property)) undescribed.push(`${path}.${name}`);
    }
    for (const [key, inner] of Object.entries(node as object)) {
      if (typeof inner === "object" && inner !== null) visit(inner, `${path}.${key}`);
    }
  };
  const schema = z.toJSONSchema(Manifest, { io: "input" });
  visit(schema, "");
  expect(undescribed).toEqual([]);
  expect(schema).toMatchObject({ additionalProperties: false });
  const [cron] = [schema.properties?.crons].map((crons) => JSON.stringify(crons));
  expect(cron).toContain('"required":["name","schedule"]');
  expect(cron).toContain('"pattern"');
});
