import { inspect } from "node:util";
import type { Altered, LogLevel, LogStream } from "../db/logs.js";
import { storableText } from "./text.js";

/** Bytes of UTF-8 that a line's message may have; what is longer is cut, and the line says so. */
export const MAX_LINE_BYTES = 1_048_576;
/** Bytes of JSON that a line's data may have; larger data is left out, and the line says so. */
export const MAX_DATA_BYTES = 65_536;
/** Levels of data; PostgreSQL's parser of JSON recurses. */
const MAX_DATA_DEPTH = 50;

/** A line as it is logged. */
export interface LineInput {
  readonly level: LogLevel;
  readonly stream: LogStream;
  readonly message: unknown;
  readonly data?: unknown;
  readonly percent?: number;
  /** What was altered before it came here. */
  readonly altered?: Altered;
}

/** A line ready to be sent: JSON text that PostgreSQL can store, whatever was logged. */
export interface PackedLine {
  readonly text: string;
  readonly bytes: number;
}

/** Packs a line, at once: what was logged may change afterwards. Never throws. */
export function packLine(input: LineInput, at: number): PackedLine {
  const message = storableMessage(asText(input.message));
  const data = input.data === undefined ? undefined : storableData(input.data);
  const altered = sum(input.altered, message.altered, data?.altered);
  let text = `{"at":${at.toFixed(2)}`;
  if (input.level !== "info") text += `,"level":"${input.level}"`;
  if (input.stream !== "log") text += `,"stream":"${input.stream}"`;
  if (input.percent !== undefined) text += `,"percent":${input.percent}`;
  if (data?.json !== undefined) text += `,"data":${data.json}`;
  if (altered !== undefined) text += `,"altered":${JSON.stringify(altered)}`;
  text += `,"message":${JSON.stringify(message.text)}}`;
  return { text, bytes: Buffer.byteLength(text) };
}

/** A message bounded in bytes, without splitting a character, and without what cannot be stored. */
export function storableMessage(message: string, max = MAX_LINE_BYTES) {
  // A cut is at a byte, but no character has less than one.
  const head = message.length > max ? message.slice(0, max) : message;
  const storable = storableText(head);
  const text = cutText(storable, max);
  const altered: Altered = {};
  if (text.length < message.length) {
    altered.cutBytes = Buffer.byteLength(message.slice(text.length));
  }
  if (storable !== head) altered.replaced = differences(text, message);
  return { text, altered: isEmpty(altered) ? undefined : altered };
}

function cutText(text: string, max: number): string {
  if (text.length * 3 <= max || Buffer.byteLength(text) <= max) return text;
  const bytes = Buffer.from(text);
  return bytes.toString("utf8", 0, boundary(bytes, max));
}

/** The last place up to `max` where a character of this UTF-8 begins. */
export function boundary(bytes: Uint8Array, max: number): number {
  if (bytes.length <= max) return bytes.length;
  for (let end = max; end > max - 4 && end >= 0; end -= 1) {
    if (((bytes[end] ?? 0) & 0xc0) !== 0x80) return end;
  }
  return max; // not UTF-8
}

/** In how many places a text differs from the beginning of another. */
function differences(text: string, from: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text.charCodeAt(at) !== from.charCodeAt(at)) count += 1;
  }
  return count;
}

/** Whatever data was given, as JSON that can be stored. */
function storableData(data: unknown): { json?: string; altered?: Altered | undefined } {
  let json: string | undefined;
  try {
    json = JSON.stringify(data, jsonReplacer());
  } catch (error) {
    const reason = error instanceof Error ? error.message : "it is not JSON";
    json = JSON.stringify({ unloggable: storableText(reason.slice(0, 500)) });
  }
  if (json === undefined) return {};
  const dataBytes = Buffer.byteLength(json);
  return dataBytes > MAX_DATA_BYTES ? { altered: { dataBytes } } : { json };
}

/** Lets JSON.stringify take what it refuses or drops: cycles, errors, BigInt, functions, symbols. */
function jsonReplacer() {
  // The way from the root to here: what was given, and what was made of it.
  const way: { given: object; made: object }[] = [];
  return function (this: unknown, _key: string, value: unknown): unknown {
    if (typeof value === "string") return storableText(value);
    if (typeof value === "bigint") return String(value);
    if (typeof value === "function") return `[function ${value.name}]`;
    if (typeof value === "symbol") return storableText(String(value));
    if (typeof value !== "object" || value === null) return value;
    while (way.length > 0 && way.at(-1)?.made !== this) way.pop();
    if (way.some(({ given }) => given === value)) return "[circular]";
    if (way.length >= MAX_DATA_DEPTH) return "[deeper]";
    const made = plain(value);
    way.push({ given: value, made });
    return made;
  };
}

/** Errors with what JSON.stringify leaves out, and no name that jsonb cannot hold. */
function plain(value: object): object {
  const { name, message, stack, cause } = value as Partial<Error>;
  const made =
    value instanceof Error
      ? { ...value, name, message, stack, ...(cause === undefined ? {} : { cause }) }
      : value;
  const keys = Object.keys(made);
  if (Array.isArray(made) || keys.every((key) => storableText(key) === key)) return made;
  return Object.fromEntries(Object.entries(made).map(([k, v]) => [storableText(k), v as unknown]));
}

function asText(message: unknown): string {
  if (typeof message === "string") return message;
  try {
    return inspect(message, { depth: 4 });
  } catch {
    return "(something that cannot be shown)";
  }
}

const isEmpty = (altered: Altered) => Object.keys(altered).length === 0;

function sum(...parts: (Altered | undefined)[]): Altered | undefined {
  const total: Altered = {};
  for (const part of parts) {
    for (const key of ["cutBytes", "replaced", "dataBytes"] as const) {
      const more = part?.[key];
      if (more !== undefined && more > 0) total[key] = (total[key] ?? 0) + more;
    }
  }
  return isEmpty(total) ? undefined : total;
}
