import { randomBytes } from "node:crypto";

import postgres from "postgres";
import { expect, inject } from "vitest";

import { withDatabase } from "./engine-url.js";

/** postgres.js with int8 read as number: nothing the tests count is beyond 2^53. */
export type TestSql = postgres.Sql<{ bigint: number }>;

export interface TestDatabase extends AsyncDisposable {
  readonly name: string;
  /** Superuser. */
  readonly url: string;
  readonly sql: TestSql;
  /** Closes `sql` and drops the database (unless the run is made with KEEP=1). */
  drop(): Promise<void>;
}

/**
 * A database of its own with Carillon installed, without pg_cron: a clone of the run's template.
 * With KEEP=1 in the environment it stays after the test, and its name is printed.
 *
 * @example
 * await using db = await createTestDatabase();
 * await db.sql`select carillon.now()`;
 */
export async function createTestDatabase(
  options: { max?: number; template?: string } = {},
): Promise<TestDatabase> {
  const { url: serverUrl, keep, ...run } = inject("server");
  const { template = run.template } = options;
  const name = `t_${process.pid}_${randomBytes(4).toString("hex")}`;
  await asAdmin(serverUrl, `create database ${name} template ${template}`);
  const url = withDatabase(serverUrl, name);
  const sql = connect(url, options.max);
  // A clone by its name; what is tested is not a copy of anything.
  await sql`select carillon.release_clone()`;
  let dropped: Promise<void> | undefined;
  const drop = () =>
    (dropped ??= (async () => {
      await sql.end({ timeout: 5 });
      if (keep) console.log(`kept: database ${name} of ${whichTest()}`);
      else await asAdmin(serverUrl, `drop database if exists ${name} with (force)`);
    })());
  return { name, url, sql, drop, [Symbol.asyncDispose]: drop };
}

/** A connection pool as tests use it; end it yourself. */
export function connect(url: string, max = 10, more: { fetch_types?: boolean } = {}): TestSql {
  return postgres(url, {
    ...more,
    max,
    onnotice: () => undefined,
    types: {
      bigint: {
        to: 20,
        from: [20],
        serialize: (value: number) => String(value),
        parse: (text: string) => Number(text),
      },
    },
  });
}

function whichTest(): string {
  const { testPath, currentTestName } = expect.getState();
  return [testPath, currentTestName].filter((part) => part !== undefined).join(" > ");
}

async function asAdmin(serverUrl: string, statement: string): Promise<void> {
  const admin = postgres(serverUrl, { max: 1, onnotice: () => undefined });
  try {
    await admin.unsafe(statement);
  } finally {
    await admin.end({ timeout: 5 });
  }
}
