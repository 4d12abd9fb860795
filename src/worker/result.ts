import { storableText } from "./text.js";

/** Bytes of JSON a result may have. */
export const MAX_RESULT_BYTES = 1_048_576;

/** A handler's result that cannot be kept; the job fails with it. */
export class UnstorableResult extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "UnstorableResult";
  }
}

// JSON.stringify writes lone surrogates, and nothing else, as \ud8xx–\udfff.
const SUSPECT = /\\u0000|\\ud[89a-f]/;

/** A result, and its JSON: to write it takes longer than most else about a job. */
export interface StorableResult {
  readonly result: unknown;
  readonly resultJson: string;
}

const NOTHING: StorableResult = { result: null, resultJson: "null" };

/**
 * A handler's result as jsonb can hold it: undefined becomes null; characters that PostgreSQL
 * cannot store become U+FFFD; otherwise as JSON.stringify has it.
 *
 * @throws UnstorableResult for what is not JSON (functions, symbols, BigInt, cycles) or too large
 */
export function storableResult(value: unknown): StorableResult {
  if (value === undefined || value === null) return NOTHING;
  const text = stringify(value);
  if (text === undefined) return NOTHING;
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_RESULT_BYTES) {
    throw new UnstorableResult(`the result has ${bytes} bytes of JSON; at most 1 MiB is kept`);
  }
  if (!SUSPECT.test(text)) return { result: value, resultJson: text };
  const result = JSON.parse(text, (_key, inner: unknown) => withStorableText(inner)) as unknown;
  return { result, resultJson: JSON.stringify(result) };
}

function stringify(value: unknown): string | undefined {
  try {
    // Most results are nothing but data, and then the engine writes them by itself, many times as fast.
    if (isData(value, MOST_LEVELS)) return JSON.stringify(value);
    return JSON.stringify(value, (key: string, inner: unknown) => {
      if (typeof inner === "function" || typeof inner === "symbol" || typeof inner === "bigint") {
        const where = key === "" ? "the result" : `"${key}" in the result`;
        throw new UnstorableResult(`${where} is a ${typeof inner}, which JSON cannot hold`);
      }
      return inner;
    }); // undefined where toJSON() gives undefined
  } catch (error) {
    if (error instanceof UnstorableResult) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new UnstorableResult(`the result is not JSON: ${reason}`, { cause: error });
  }
}

/** Levels of an object beyond which it is looked at more slowly; a cycle is one. */
const MOST_LEVELS = 20;

const DATA_TYPES = new Set(["string", "number", "boolean", "undefined"]);

/** Whether a value holds only what JSON has: no function, symbol or BigInt, no class of its own mind. */
function isData(value: unknown, levels: number): boolean {
  const type = typeof value;
  if (type !== "object") return DATA_TYPES.has(type);
  if (value === null) return true;
  const object = value as Record<string, unknown>;
  if (levels === 0 || "toJSON" in object) return false;
  if (Array.isArray(value)) {
    return value.every((item) => isData(item, levels - 1));
  }
  for (const key in object) {
    if (!isData(object[key], levels - 1)) return false;
  }
  return true;
}

function withStorableText(value: unknown): unknown {
  if (typeof value === "string") return storableText(value);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [storableText(k), v as unknown]));
}
