import fc from "fast-check";
import type { Json } from "../../src/api/openapi/json-schema.js";

/** Texts that have broken something somewhere. */
const TEXTS = [
  ...["", " ", "0", "-1", "1e999", "NaN", "null", "true", "undefined", "[object Object]"],
  ...["__proto__", "constructor", "toString", "hasOwnProperty", "prototype"],
  ...[
    "'",
    '"',
    "\\",
    "`",
    "';--",
    "' or '1'='1",
    '"; drop schema carillon cascade; --',
    "$$",
    "$1",
  ],
  ...[
    "\0",
    "a\0b",
    "\ud800",
    "\udfff",
    "\u202e",
    "\ufeff",
    "\u2028",
    "😀",
    "é",
    "ﷺ",
    "\x7f",
    "\x1b[2J",
  ],
  ...[
    "../../etc/passwd",
    "..\\..",
    "/",
    "//",
    "%00",
    "%2e%2e",
    "%",
    "{appId}",
    "${7*7}",
    "{{7*7}}",
  ],
  ...[
    "<script>alert(1)</script>",
    "javascript:alert(1)",
    "\r\nset-cookie: a=b",
    "a".repeat(10_000),
  ],
  ...[
    "9999-99-99T99:99:99Z",
    "-infinity",
    "infinity",
    "2026-02-30T00:00:00Z",
    "10000-01-01T00:00:00Z",
  ],
  ...["* * * * * *", "99 * * * *", "every 0 minutes", "at noon", "@daily", "1 seconds; select 1"],
  ...["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "*", "app:*"],
];

const NUMBERS = [
  ...[
    0,
    -0,
    -1,
    1.5,
    1e308,
    -1e308,
    5e-324,
    2 ** 31,
    2 ** 31 - 1,
    -(2 ** 31) - 1,
    2 ** 53,
    2 ** 63,
  ],
  ...[Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
];

const deep = (levels: number): unknown => {
  let value: unknown = 1;
  for (let n = 0; n < levels; n++) value = n % 2 === 0 ? [value] : { a: value };
  return value;
};

/** Any text, from ordinary to malicious. */
export const hostileText = fc.oneof(
  fc.constantFrom(...TEXTS),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ maxLength: 40 }),
);

/** Any JSON, from ordinary to malicious. */
const hostileJson: fc.Arbitrary<unknown> = fc.oneof(
  hostileText,
  fc.constantFrom(...NUMBERS, null, true, false),
  fc.constant({}).map(() => ({})),
  fc.constantFrom([], [[]], ["a", 1, null]),
  fc.integer({ min: 1, max: 300 }).map(deep),
  fc.dictionary(hostileText, hostileText, { maxKeys: 4 }),
  fc.jsonValue(),
);

/** Mostly what a schema asks for, sometimes almost, and sometimes anything. */
export function ofSchema(schema: Json): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 9, arbitrary: good(schema) }, { weight: 1, arbitrary: hostileJson });
}

function good(schema: Json): fc.Arbitrary<unknown> {
  const { enum: values, examples, anyOf, allOf } = schema as Record<string, unknown[] | undefined>;
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (values !== undefined) return fc.constantFrom(...values);
  if (examples !== undefined) return fc.oneof(fc.constantFrom(...examples), plain(schema));
  const choices = anyOf ?? allOf;
  if (choices !== undefined) return fc.oneof(...choices.map((one) => good(one as Json)));
  return plain(schema);
}

function plain(schema: Json): fc.Arbitrary<unknown> {
  const type = Array.isArray(schema.type) ? (schema.type[0] as unknown) : schema.type;
  const { minimum = -1000, maximum = 1_000_000 } = schema as { minimum?: number; maximum?: number };
  switch (type) {
    case "object":
      return object(schema);
    case "array":
      return fc.array(ofSchema((schema.items ?? {}) as Json), { maxLength: 4 });
    case "integer":
      return fc.integer({ min: Math.max(minimum, -1e9), max: Math.min(maximum, 1e9) });
    case "number":
      return fc.double({ min: Math.max(minimum, -1e9), max: Math.min(maximum, 1e9), noNaN: true });
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "string":
      return text(schema);
    default:
      return hostileJson;
  }
}

function text({ pattern, format }: Json): fc.Arbitrary<unknown> {
  if (format === "date-time") {
    return fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
  }
  if (format === "uuid" || format === "guid") return fc.uuid();
  if (typeof pattern === "string") {
    // What it asks for, and beside it what looks like that.
    return fc.oneof(fc.stringMatching(new RegExp(pattern), { size: "-1" }), hostileText);
  }
  return hostileText;
}

function object({
  properties = {},
  required = [],
  additionalProperties,
}: Json): fc.Arbitrary<Json> {
  const known = Object.entries(properties as Record<string, Json>);
  if (known.length === 0 && additionalProperties !== false) {
    return fc.dictionary(hostileText, hostileJson, { maxKeys: 5 });
  }
  const fields = Object.fromEntries(
    known.map(([name, schema]) => {
      const value = ofSchema(schema);
      const isNeeded = (required as string[]).includes(name);
      const weight = isNeeded ? 19 : 1;
      return [
        name,
        fc.oneof(
          { weight, arbitrary: value.map((it) => [it]) },
          { weight: isNeeded ? 1 : 3, arbitrary: fc.constant([]) },
        ),
      ];
    }),
  );
  const extra = fc.oneof(
    { weight: 9, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.dictionary(hostileText, hostileJson, { maxKeys: 2 }) },
  );
  return fc.tuple(fc.record(fields), extra).map(([given, more]) => ({
    ...Object.fromEntries(
      Object.entries(given).flatMap(([name, value]) =>
        value.length > 0 ? [[name, value[0]]] : [],
      ),
    ),
    ...more,
  }));
}

/** A JSON text as bytes, and sometimes what a broken or wicked client makes of it. */
export const asBytes = (value: unknown): fc.Arbitrary<Uint8Array> => {
  const json = JSON.stringify(value) ?? "";
  const bytes = Buffer.from(json);
  const at = fc.nat({ max: bytes.length });
  const put = (inserted: Uint8Array) =>
    at.map((n) => Buffer.concat([bytes.subarray(0, n), inserted, bytes.subarray(n)]));
  return fc.oneof(
    { weight: 12, arbitrary: fc.constant(bytes) },
    { weight: 1, arbitrary: put(Buffer.from([0xff, 0xfe, 0xc3])) },
    { weight: 1, arbitrary: put(Buffer.from([0])) },
    { weight: 1, arbitrary: put(Buffer.from("1e999")) },
    { weight: 1, arbitrary: at.map((n) => bytes.subarray(0, n)) },
    { weight: 1, arbitrary: fc.constant(Buffer.from("[".repeat(20_000))) },
    { weight: 1, arbitrary: fc.constant(Buffer.from(`{"__proto__":${json || "1"}}`)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }) },
  );
};
