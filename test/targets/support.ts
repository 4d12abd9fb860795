import { readFileSync } from "node:fs";
import { Writable } from "node:stream";
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
  caller: { userId: "5b1f0f0a-2f0e-4a56-8a49-3c9a3f1d2b7e", username: "ada" },
  invocation: {
    message: "Scheduled invocation",
    sessionId: "9a1b2c3d-0000-8000-a000-1234567890ab",
    appId: "crm",
    cronId: "0b8c7d1e-6f4a-4c3b-9a2d-1e5f60718293",
    scheduledFor: new Date("2026-05-08T10:30:00Z"),
    trigger: "automatic",
    payload: { customer: "acme" },
  },
  key: "job_42_0123456789abcdef0123",
  ...more,
});

export interface LogLine {
  level: "debug" | "info" | "warn" | "error";
  message: string;
  data: object | undefined;
}

/** What a target is given, with a log to look at. */
export interface TestContext extends TargetContext {
  readonly lines: LogLine[];
  /** What was written to the log's streams. */
  readonly streams: Readonly<Record<"stdout" | "stderr", Buffer[]>>;
}

export function context(
  given: {
    signal?: AbortSignal;
    secrets?: Record<string, string>;
    signing?: readonly string[];
  } = {},
): TestContext {
  const { signal = new AbortController().signal } = given;
  const lines: LogLine[] = [];
  const write = (level: LogLine["level"]) => (message: string, data?: object) => {
    lines.push({ level, message, data });
  };
  const streams = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  const stream = (name: "stdout" | "stderr") =>
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        streams[name].push(chunk);
        done();
      },
    });
  const secrets: Secrets = {
    get: (name) => Promise.resolve(given.secrets?.[name]),
    signing: () => Promise.resolve(given.signing ?? []),
  };
  return {
    signal,
    whenAborted: (callback) => {
      if (signal.aborted) callback();
      else signal.addEventListener("abort", callback);
    },
    log: {
      ...{ debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") },
      stream,
      flush: () => Promise.resolve(),
    },
    secrets,
    lines,
    streams,
  };
}

/** One of the files in certificates/. */
export const pem = (name: string): string =>
  readFileSync(new URL(`./certificates/${name}`, import.meta.url), "utf8");
