import type { FieldError } from "../errors.js";
import { fieldPath, invalidInput } from "../schedules/parse-input.js";

/** Values deeper than this are refused: neither Postgres nor a worker should recurse for a caller. */
export const MOST_LEVELS = 64;

/** A value inside a document, and the way to it. */
interface Place {
  value: unknown;
  steps: readonly PropertyKey[];
}

/**
 * Reads a JSON text and refuses what could not be stored and handed on unchanged: NUL characters
 * and broken Unicode, numbers a double cannot hold, `__proto__`, and nesting without end.
 *
 * @throws CarillonError `invalid_input`, naming every place at fault
 */
export function readJson(text: string): unknown {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch (error) {
    throw invalidInput([{ field: "body", message: `is not valid JSON: ${reasonOf(error)}` }]);
  }
  const errors: FieldError[] = [];
  const refuse = (steps: readonly PropertyKey[], message: string) =>
    errors.push({ field: fieldPath(steps, "body"), message });

  // A list of places to go to, not a recursion: the depth is the caller's choice.
  const places: Place[] = [{ value: root, steps: [] }];
  for (let place = places.pop(); place !== undefined && errors.length < 20; place = places.pop()) {
    const { value, steps } = place;
    const problem = scalarProblem(value);
    if (problem !== undefined) refuse(steps, problem);
    if (typeof value !== "object" || value === null) continue;
    if (steps.length >= MOST_LEVELS) {
      refuse(steps.slice(0, 3), `is nested more than ${MOST_LEVELS} levels deep`);
      break;
    }
    for (const [key, inner] of Object.entries(value)) {
      const step = Array.isArray(value) ? Number(key) : key;
      const at = [...steps, step];
      if (key === "__proto__") refuse(at, "is a name that objects must not have");
      else if (textProblem(key) !== undefined) refuse(at, "has a name with characters not allowed");
      else places.push({ value: inner, steps: at });
    }
  }
  if (errors.length > 0) throw invalidInput(errors);
  return root;
}

function textProblem(text: string): string | undefined {
  if (text.includes("\0")) return "must not hold NUL characters";
  return /\p{Surrogate}/u.test(text) ? "must be valid Unicode" : undefined;
}

function scalarProblem(value: unknown): string | undefined {
  if (typeof value === "string") return textProblem(value);
  if (typeof value !== "number") return undefined;
  if (!Number.isFinite(value)) return "is a number too large to keep";
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    return "is a whole number too large to keep exactly; send it as a string";
  }
  return undefined;
}

/** V8's reason without the excerpt of the text it may quote. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/, "?\.{0,3}"[\s\S]*is not valid JSON$/, "").slice(0, 100);
}
