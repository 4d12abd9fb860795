import { type Command, Option } from "commander";
import type { CronChanges } from "../client/index.js";
import { decimal, jsonObject, list, seconds, whole } from "./parse.js";

/** The fields of a cron that options set, each by its option. */
const FIELDS = {
  timezone: new Option("--timezone <zone>", "IANA time zone of the schedule; default GMT"),
  method: new Option("--method <name>", "handler to route to"),
  payload: new Option(
    "--payload <json>",
    "JSON object for onJob; @file reads it, - takes stdin",
  ).argParser(jsonObject),
  overlapPolicy: new Option("--overlap <policy>", "when its last job is not done yet").choices([
    "skip",
    "queue",
    "buffer",
    "replace",
  ]),
  catchUp: new Option("--catch-up <policy>", "slots missed while nothing could fire").choices([
    "latest",
    "all",
    "none",
  ]),
  catchUpMax: new Option("--catch-up-max <n>", "jobs at most that catchUp all makes").argParser(
    whole(1, 1000),
  ),
  catchUpWindow: new Option(
    "--catch-up-window <time>",
    "how old a missed slot may be: 3600, 90m, 2d",
  ).argParser(seconds),
  maxConsecutiveFailures: new Option(
    "--max-failures <n>",
    "pause it after so many failures in a row",
  ).argParser(whole(1)),
  priority: new Option("--priority <n>", "of its jobs; higher goes first").argParser(
    whole(-32768, 32767),
  ),
  maxAttempts: new Option("--max-attempts <n>", "tries until a job has failed").argParser(
    whole(1, 100),
  ),
  retryDelay: new Option("--retry-delay <time>", "before the second try").argParser(seconds),
  retryBackoff: new Option("--retry-backoff <factor>", "by which the delay grows").argParser(
    decimal,
  ),
  timeout: new Option("--timeout <time>", "how long the handler may run").argParser(seconds),
  expiresAfter: new Option("--expires-after <time>", "how long a due job may wait").argParser(
    seconds,
  ),
  tags: new Option("--tags <list>", "labels of its jobs, joined by commas").argParser(list),
  target: new Option(
    "--target <json>",
    "where its jobs go; @file reads it, - takes stdin",
  ).argParser(jsonObject),
  maxConcurrency: new Option("--max-concurrency <n>", "jobs that may run at once").argParser(
    whole(1),
  ),
  runAs: new Option("--run-as <account>", "service account that owns it"),
  startsAt: new Option("--starts-at <time>", "no slot before, such as 2026-05-08T10:30:00Z"),
  endsAt: new Option("--ends-at <time>", "no slot after"),
  jitter: new Option("--jitter <time>", "by which its jobs may start later").argParser(seconds),
} satisfies { [F in keyof CronChanges]?: Option };

export const CRON_FIELDS = Object.keys(FIELDS) as (keyof typeof FIELDS)[];

/** Gives a command an option for every field of a cron. */
export function withCronOptions(command: Command): Command {
  for (const option of Object.values(FIELDS)) command.addOption(option);
  return command
    .addOption(
      new Option("--dst-gap <policy>", "a local time that does not exist").choices([
        "shift",
        "skip",
      ]),
    )
    .addOption(
      new Option("--dst-fold <policy>", "a local time that comes twice").choices(["first", "both"]),
    );
}

/** The fields that the options given set. */
export function cronFieldsOf(options: Record<string, unknown>): CronChanges {
  const entries = Object.entries(FIELDS).flatMap(([field, option]) => {
    const value = options[option.attributeName()];
    return value === undefined ? [] : [[field, value] as const];
  });
  const { dstGap: gap, dstFold: fold } = options;
  const dst = { ...(gap === undefined ? {} : { gap }), ...(fold === undefined ? {} : { fold }) };
  return {
    ...(Object.fromEntries(entries) as CronChanges),
    ...(Object.keys(dst).length === 0 ? {} : { dst: dst as NonNullable<CronChanges["dst"]> }),
  };
}
