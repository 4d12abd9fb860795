import { readFileSync } from "node:fs";
import { InvalidArgumentError } from "commander";
import { readStdin } from "./stdin.js";

/** A whole number from an option, within bounds. */
export const whole =
  (least: number, most = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = Number(text);
    if (/^-?\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };

export function decimal(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("It must be a number.");
}

/** A JSON object, `@file` to read it from one, or `-` for the standard input. */
export function jsonObject(text: string): Record<string, unknown> {
  const source = text === "-" ? readStdin() : text.startsWith("@") ? read(text.slice(1)) : text;
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch (error) {
    throw new InvalidArgumentError(`It is not JSON: ${(error as Error).message}.`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new InvalidArgumentError("It must be a JSON object.");
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    throw new InvalidArgumentError(`It cannot be read: ${file}.`);
  }
}

export const list = (text: string): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds: a number, or one with a unit such as 90s, 15m, 2h, 1d. */
export function seconds(text: string): number {
  const [, amount, unit = "s"] = /^(\d{1,9})([smhd])?$/.exec(text) ?? [];
  if (amount === undefined)
    throw new InvalidArgumentError("It must be seconds, or such as 90s, 15m, 2h, 1d.");
  return Number(amount) * (UNITS[unit] ?? 1);
}
