import { z } from "zod";

const Code = z
  .int()
  .min(100)
  .max(599)
  .describe("A status code, for example 201.")
  .meta({ examples: [201] });

const RANGE = /^(?:([1-5])xx|([1-5]\d\d)-([1-5]\d\d))$/;

const Range = z
  .string()
  .regex(RANGE, { error: 'must be a range of status codes, like "2xx" or "200-299"' })
  .refine((text) => bounds(text)[0] <= bounds(text)[1], {
    error: "must have its lower status code first",
  })
  .describe('A range of status codes: "2xx" or "200-299".');

/** Which answers count as success. */
export const ExpectedStatus = z.union([
  Code,
  Range,
  z
    .array(z.union([Code, Range]))
    .min(1)
    .max(20),
]);
export type ExpectedStatus = z.output<typeof ExpectedStatus>;

function bounds(text: string): readonly [from: number, to: number] {
  const [, hundred, from, to] = RANGE.exec(text) ?? [];
  if (hundred !== undefined) return [Number(hundred) * 100, Number(hundred) * 100 + 99];
  return [Number(from), Number(to)];
}

export function isExpected(expected: ExpectedStatus, status: number): boolean {
  return [expected].flat().some((each) => {
    if (typeof each === "number") return each === status;
    const [from, to] = bounds(each);
    return from <= status && status <= to;
  });
}
