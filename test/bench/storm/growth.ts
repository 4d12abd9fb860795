import type { BenchContext, Figures } from "../harness/benchmark.js";
import type { BenchSql } from "../harness/server.js";
import { median } from "../harness/stats.js";
import { table } from "../harness/table.js";
import { copyCrons } from "./copies.js";

/** Milliseconds of a tick with nothing due, and with 1,000 due, among ever more crons. */
export async function growth({ server, tiny, rounds, say }: BenchContext): Promise<Figures> {
  const sql = server.connect(await server.carillon("bench_growth"), 1);
  await sql`select carillon.sync_manifest(app => 'bench', manifest => '{}')`;
  const due = tiny ? 10 : 1000;
  const sizes = tiny ? [100, 200] : [10_000, 100_000, 1_000_000];
  const rows: [number, number, number][] = [];
  for (const size of sizes) {
    await grow(sql, size);
    const idle: number[] = [];
    const busy: number[] = [];
    for (let n = 0; n < rounds * 3; n += 1) {
      idle.push(await timeTick(sql, 0));
      await makeDue(sql, due);
      busy.push(await timeTick(sql, due));
    }
    rows.push([size, median(idle), median(busy)]);
  }
  say(table(["crons", "tick, none due, ms", `tick, ${due} due, ms`], rows));
  const [first, last] = [rows[0], rows.at(-1)];
  if (!first || !last) return {};
  return { tick_1k_of_1m_ms: last[2], ratio_tick_1m_crons: last[2] / first[2] };
}

/** More crons, due in the years to come. */
async function grow(sql: BenchSql, size: number): Promise<void> {
  const [row] = await sql<{ count: number }[]>`select count(*) from carillon.crons`;
  await copyCrons(sql, {
    ...{ from: (row?.count ?? 0) + 1, to: size, schedule: "0 9 * * *" },
    due: "date_trunc('minute', now()) + interval '1 day' + n * interval '1 minute'",
  });
  await sql`vacuum analyze`;
}

/** Spread over the table, all with one slot that has just come. */
async function makeDue(sql: BenchSql, count: number): Promise<void> {
  await sql`truncate pgmq.q_jobs, carillon.ticks`;
  await sql`
    update carillon.crons set next_fire_at = date_trunc('milliseconds', clock_timestamp())
    where name in (
      select 'cron-' || 1 + n * (select count(*) from carillon.crons) / ${count}
      from generate_series(0, ${count}::integer - 1) as n)`;
  await sql`vacuum analyze carillon.crons`;
}

async function timeTick(sql: BenchSql, expected: number): Promise<number> {
  // A tick sweeps when nobody has for a minute; that is not what is measured here.
  await sql`
    insert into carillon.settings (key, value) values ('swept_at', to_jsonb(now()))
    on conflict (key) do update set value = excluded.value`;
  const start = performance.now();
  const [row] = await sql<{ fired: number }[]>`
    select (carillon.tick() ->> 'fired')::integer as fired`;
  const ms = performance.now() - start;
  if (row?.fired !== expected) throw new Error(`${row?.fired ?? 0} crons fired, not ${expected}`);
  return ms;
}
