import type { TestSql } from "../helpers/database.js";

/** The zones of the documentation's tables: a date with a gap and one with a fold for each. */
const ZONES = [
  {
    zone: "America/New_York",
    gap: ["2026-03-08", "30 2 * * *"],
    fold: ["2026-11-01", "30 1 * * *"],
  },
  { zone: "Europe/London", gap: ["2026-03-29", "30 1 * * *"], fold: ["2026-10-25", "30 1 * * *"] },
  {
    zone: "Australia/Lord_Howe",
    gap: ["2026-10-04", "15 2 * * *"],
    fold: ["2026-04-05", "45 1 * * *"],
  },
  {
    zone: "Australia/Sydney",
    gap: ["2026-10-04", "30 2 * * *"],
    fold: ["2026-04-05", "30 2 * * *"],
  },
] as const;

async function slotsOn(
  sql: TestSql,
  zone: string,
  [date, schedule]: readonly [string, string],
  rules: { gap: string; fold: string },
): Promise<string> {
  const rows = await sql<{ cell: string }[]>`
    select to_char(local_time, 'HH24:MI') || ' ' || utc_offset || ' = '
      || to_char(slot at time zone 'UTC', 'HH24:MI') || 'Z' as cell
    from carillon.preview_schedule(
      ${schedule}, ${zone}, (${date}::text::timestamp at time zone ${zone}) - interval '1 second', 3,
      dst_gap => ${rules.gap}, dst_fold => ${rules.fold})
    where local_time::date = ${date}::text::date
    order by slot`;
  return rows.length === 0 ? "none" : rows.map(({ cell }) => cell).join(", then ");
}

function markdown(head: string[], rows: string[][]): string {
  const widths = head.map((_, i) =>
    Math.max(3, ...[head, ...rows].map((row) => row[i]?.length ?? 0)),
  );
  const line = (cells: string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}

/** The two tables of docs/schedules.md, as next_fire has them. */
export async function dstTables(sql: TestSql): Promise<{ gap: string; fold: string }> {
  const gap: string[][] = [];
  const fold: string[][] = [];
  for (const { zone, gap: g, fold: f } of ZONES) {
    const at = (day: readonly [string, string], rules: { gap: string; fold: string }) =>
      slotsOn(sql, zone, day, rules);
    gap.push([
      zone,
      g[0],
      `\`${g[1]}\``,
      await at(g, { gap: "shift", fold: "first" }),
      await at(g, { gap: "skip", fold: "first" }),
    ]);
    fold.push([
      zone,
      f[0],
      `\`${f[1]}\``,
      await at(f, { gap: "shift", fold: "first" }),
      await at(f, { gap: "shift", fold: "both" }),
    ]);
  }
  return {
    gap: markdown(["zone", "day", "schedule", "`shift` (default)", "`skip`"], gap),
    fold: markdown(["zone", "day", "schedule", "`first` (default)", "`both`"], fold),
  };
}
