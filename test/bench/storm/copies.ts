import type { BenchSql } from "../harness/server.js";

/**
 * More crons than any manifest would hold: makes one as anybody would, then copies its row under the
 * names cron-FROM … cron-TO. `due` is the SQL of a copy's next slot, in which `n` is its number.
 */
export async function copyCrons(
  sql: BenchSql,
  { from, to, schedule, due }: { from: number; to: number; schedule: string; due: string },
): Promise<void> {
  await sql`
    select carillon.create_cron(app => 'bench', name => 'template', schedule => ${schedule},
      payload => jsonb_build_object('text', repeat('x', 72)))`;
  await sql.unsafe(`
    insert into carillon.crons
    select r.*
    from carillon.crons t, generate_series(${from}, ${to}) as n,
      jsonb_populate_record(t, jsonb_build_object(
        'id', gen_random_uuid(), 'name', 'cron-' || n, 'next_fire_at', ${due}, 'beat_id', null,
        'payload', t.payload || jsonb_build_object('n', n))) as r
    where t.name = 'template'`);
  await sql`
    select carillon.delete_cron(cron => id) from carillon.crons where name = 'template'`;
}
