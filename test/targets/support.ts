import { readFileSync } from "node:fs";
import type { Secrets, TargetContext, TargetJob } from "../../src/targets/types.js";

/** A job to send somewhere. */
export const job = (more: Partial<TargetJob> = {}): TargetJob => ({
  appId: "crm",
  jobId: 42,
  cronId: "0b8c7d1e-6f4a-4c3b-9a2d-1e5f60718293",
  scheduledFor: new Date("2026-05-08T10:30:00Z"),
  attempt: 1,
  trigger: "automatic",
  payload: { customer: "acme" },
  key: "job_42_0123456789abcdef0123",
  ...more,
});

export interface LogLine {
  level: "info" | "warn" | "error";
  message: string;
  fields: object | undefined;
}

/** What a target is given, with a log to look at. */
export interface TestContext extends TargetContext {
  readonly lines: LogLine[];
}

export function context(
  given: {
    signal?: AbortSignal;
    secrets?: Record<string, string>;
    signing?: readonly string[];
  } = {},
): TestContext {
  const lines: LogLine[] = [];
  const write = (level: LogLine["level"]) => (message: string, fields?: object) => {
    lines.push({ level, message, fields });
  };
  const secrets: Secrets = {
    get: (name) => Promise.resolve(given.secrets?.[name]),
    signing: () => Promise.resolve(given.signing ?? []),
  };
  return {
    signal: given.signal ?? new AbortController().signal,
    log: { info: write("info"), warn: write("warn"), error: write("error") },
    secrets,
    lines,
  };
}

/** One of the files in certificates/. */
export const pem = (name: string): string =>
  readFileSync(new URL(`./certificates/${name}`, import.meta.url), "utf8");
