import { inspect } from "node:util";
import type { JobError } from "../db/jobs.js";
import { boundedText } from "./text.js";

const MAX_NAME = 200;
const MAX_MESSAGE = 8_000;
const MAX_STACK = 16_000;
const MAX_CAUSES = 5;

/**
 * Whatever a handler threw, as it is kept: bounded in depth and size, and storable as jsonb.
 * Never throws, whatever getters the thrown thing has.
 */
export function describeFailure(thrown: unknown): JobError {
  return describe(thrown, MAX_CAUSES);
}

/** An error of Carillon's own about a job. */
export const failure = (name: string, message: string): JobError => ({
  name: boundedText(name, MAX_NAME),
  message: boundedText(message, MAX_MESSAGE),
});

function describe(thrown: unknown, causesLeft: number): JobError {
  try {
    return thrown instanceof Error
      ? describeError(thrown, causesLeft)
      : failure("Thrown", asText(thrown));
  } catch {
    return failure("Error", "the handler threw something that cannot be described");
  }
}

function describeError(error: Error, causesLeft: number): JobError {
  const described = failure(String(error.name), String(error.message));
  if (typeof error.stack === "string") described.stack = boundedText(error.stack, MAX_STACK);
  if (error.cause !== undefined && causesLeft > 0) {
    described.cause = describe(error.cause, causesLeft - 1);
  }
  return described;
}

const asText = (value: unknown): string =>
  typeof value === "string"
    ? value
    : inspect(value, { depth: 3, maxStringLength: 1_000, maxArrayLength: 50 });
