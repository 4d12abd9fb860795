import type { z } from "zod";
import { CarillonError, type FieldError } from "../errors.js";

/** A refusal names this many fields at most. */
const MOST_FIELDS = 100;

/**
 * Holds a value from outside against its schema.
 *
 * Bodies of crons and manifests must not transform: what only breaks the form of a schedule or a
 * time zone is handed on as it came, for the database to refuse with its more precise message.
 *
 * @param root what the value is called when it is wrong as a whole, such as `body`
 * @throws CarillonError `invalid_input`, naming every field at fault and the rule it breaks
 */
export function parseInput<S extends z.ZodType>(
  schema: S,
  value: unknown,
  root: string,
): z.output<S> {
  const parsed = schema.safeParse(value, { error: explain });
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  if (issues.every(isDeferred)) return value as z.output<S>;
  throw invalidInput(issues.flatMap((issue) => fieldErrors(issue, root)));
}

/** The error for these fields. */
export function invalidInput(all: readonly FieldError[]): CarillonError {
  const fields = all.slice(0, MOST_FIELDS);
  const more = all.length > fields.length ? `; and ${all.length - fields.length} more` : "";
  return new CarillonError(
    "invalid_input",
    fields.map(({ field, message }) => `${field} ${message}`).join("; ") + more,
    { fields },
  );
}

/** A path in API spelling: `crons[2].schedule`. */
export function fieldPath(path: readonly PropertyKey[], root: string): string {
  if (path.length === 0) return root;
  return path
    .map((step, at) => {
      if (typeof step === "number") return `[${step}]`;
      const name = String(step);
      if (!/^[$\w-]{1,100}$/.test(name)) return `[${JSON.stringify(name.slice(0, 100))}]`;
      return at === 0 ? name : `.${name}`;
    })
    .join("");
}

const isDeferred = (issue: z.core.$ZodIssue) =>
  issue.code === "custom" && issue.params?.deferred === true;

function fieldErrors(issue: z.core.$ZodIssue, root: string): FieldError[] {
  if (issue.code === "invalid_union") {
    // What is wrong within the one that was meant says more than that none of them fits.
    const meant = issue.errors.find((issues) => issues.length > 0 && issues.every(isWithin));
    if (meant !== undefined) {
      return meant.flatMap((inner) =>
        fieldErrors({ ...inner, path: [...issue.path, ...inner.path] }, root),
      );
    }
  }
  if (issue.code !== "unrecognized_keys") {
    return [{ field: fieldPath(issue.path, root), message: issue.message }];
  }
  return issue.keys.map((key) => ({
    field: fieldPath([...issue.path, key], root),
    message: "is not a known field",
  }));
}

const isWithin = (issue: z.core.$ZodIssue) =>
  issue.path.length > 0 || issue.code === "unrecognized_keys";

const EXPECTED: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a JSON object",
  record: "a JSON object",
  array: "an array",
};

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  return `a ${typeof value}`;
}

/** The rule an issue breaks, to be read after the field's name. */
const explain: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === "unrecognized_keys" || issue.code === "custom") return undefined;
  if (issue.input === undefined) return "is required";
  if (issue.code === "invalid_type") {
    return `must be ${EXPECTED[issue.expected] ?? issue.expected}, got ${kindOf(issue.input)}`;
  }
  if (issue.code === "invalid_value") {
    return `must be ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}`;
  }
  if (issue.code === "too_small") {
    return issue.origin === "string" ? "must not be empty" : `must be at least ${issue.minimum}`;
  }
  if (issue.code === "too_big") return tooBig(issue.origin, issue.maximum);
  return undefined;
};

function tooBig(origin: string, most: number | bigint): string {
  if (origin === "string") return `must be at most ${most} characters long`;
  return `must ${origin === "array" ? "have" : "be"} at most ${most}${origin === "array" ? " entries" : ""}`;
}
