import { Command } from "commander";
import { type CarillonClient, createClient } from "../client/index.js";
import { CarillonError } from "../errors.js";
import { type ConnectionFlags, resolveConnection } from "./connection.js";
import { type Column, fields, table, type Terminal } from "./output/table.js";
import { oneLine } from "./output/text.js";

/** What a command over the API works with. */
export interface Session {
  client: CarillonClient;
  /** The app that is meant, or an error that says how to name one. */
  app(): string;
  json: boolean;
  /** Prints a value: as JSON, or as the text for people. */
  print(value: unknown, text: () => string): void;
  printTable<T>(rows: readonly T[], columns: readonly Column<T>[], none: string): void;
  printFields(value: object): void;
  /** A line for people, left out with --json. */
  note(line: string): void;
}

/** The options every command over the API takes. */
interface ApiFlags extends ConnectionFlags {
  json?: true;
}

/**
 * A command over the API: with the options that say how to reach it.
 *
 * @param description none for a command of the first level, which is described in COMMANDS
 */
export function apiCommand(name: string, description = "", withApp = true): Command {
  const command = new Command(name).description(description);
  if (withApp) command.option("-a, --app <id>", "the app (default: CARILLON_APP, or .carillonrc)");
  return withConnection(command);
}

/** Adds the options that say how to reach the API. */
export function withConnection(command: Command): Command {
  return command
    .option(
      "--url <url>",
      "where the API answers (default: CARILLON_URL, .carillonrc, http://127.0.0.1:8080)",
    )
    .option("--key <key>", "the API key (default: CARILLON_KEY, or .carillonrc)")
    .option("--json", "print JSON");
}

/** An action over the API: its arguments and options, after the session they open. */
export function overApi<A extends unknown[]>(
  action: (session: Session, ...args: A) => Promise<void>,
): (...args: [...A, Command]) => Promise<void> {
  return async (...args) => {
    const command = args.at(-1) as Command;
    const { url, key, app, json, ...options } = command.opts<ApiFlags>();
    const session = await openSession({ url, key, app, ...(json ? { json } : {}) });
    // What says how to reach the API is none of the action's options, and must not get into a request.
    await action(session, ...([...args.slice(0, -2), options] as unknown as A));
  };
}

export const terminal = (): Terminal => ({
  columns: process.stdout.isTTY ? process.stdout.columns : undefined,
  colors: process.stdout.isTTY && !process.env.NO_COLOR,
});

export async function openSession(flags: ApiFlags): Promise<Session> {
  const { url, key, app } = await resolveConnection(flags);
  if (!/^https?:\/\//.test(url)) {
    throw new CarillonError(
      "invalid_config",
      `the url must begin with http:// or https://, got ${oneLine(url)}`,
    );
  }
  const json = flags.json === true;
  const print = (value: unknown, text: () => string) => {
    process.stdout.write(`${json ? JSON.stringify(value) : text()}\n`);
  };
  return {
    client: createClient({ url, key }),
    json,
    app() {
      if (app !== undefined) return app;
      throw new CarillonError("invalid_input", "no app is named", {
        hint: "give --app, CARILLON_APP, or app in .carillonrc",
      });
    },
    print,
    printTable: (rows, columns, none) =>
      print(rows, () => (rows.length === 0 ? none : table(rows, columns, terminal()))),
    printFields: (value) => print(value, () => fields(value)),
    note(line) {
      if (!json) console.error(line);
    },
  };
}

/** The rows of a list, whether it comes whole or as a page. */
export async function rowsOf<T>(
  list: PromiseLike<readonly T[] | { readonly items: readonly T[] }>,
): Promise<readonly T[]> {
  const answer = await list;
  return "items" in answer ? answer.items : answer;
}

/** The first so many of a list that comes in pages; all of them without a number. */
export async function take<T>(list: AsyncIterable<T>, most = Infinity): Promise<T[]> {
  const taken: T[] = [];
  if (most <= 0) return taken;
  for await (const item of list) {
    taken.push(item);
    if (taken.length >= most) break;
  }
  return taken;
}
