import type { TestSql } from "../helpers/database.js";

/** What a refused statement carried. */
export interface Refusal {
  code: string;
  message: string;
  detail: string;
  hint: string;
  column: string;
}

/** Runs a statement that has to be refused and returns the error's fields. */
export async function refusalOf(statement: Promise<unknown>): Promise<Refusal> {
  try {
    await statement;
  } catch (error) {
    const fields = error as Record<string, string | undefined>;
    return {
      code: fields.code ?? "",
      message: fields.message ?? "",
      detail: fields.detail ?? "",
      hint: fields.hint ?? "",
      column: fields.column_name ?? "",
    };
  }
  throw new Error("the statement was not refused");
}

export interface FireOptions {
  anchor?: string;
  startsAt?: string;
  endsAt?: string;
  gap?: string;
  fold?: string;
}

/**
 * carillon.next_fire with instants as ISO 8601 text in UTC (microseconds only where there are any).
 * The casts by text keep postgres.js from making a Date, which has no microseconds, of them.
 */
export async function nextFire(
  sql: TestSql,
  schedule: string,
  timezone: string | null,
  after: string,
  options: FireOptions = {},
): Promise<string | null> {
  const [row] = await sql<{ slot: string | null }[]>`
    select regexp_replace(
      to_char(
        carillon.next_fire(
          ${schedule}, ${timezone}, ${after}::text::timestamptz, ${options.anchor ?? null}::text::timestamptz,
          ${options.startsAt ?? null}::text::timestamptz, ${options.endsAt ?? null}::text::timestamptz,
          ${options.gap ?? "shift"}, ${options.fold ?? "first"}
        ) at time zone 'UTC',
        'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
      ),
      '(:00)?\.000000Z$', 'Z') as slot`;
  return row?.slot ?? null;
}
