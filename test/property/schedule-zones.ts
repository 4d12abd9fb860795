import type { TestSql } from "../helpers/database.js";

/**
 * A time zone as Node's ICU knows it, independent of the server's tz database: the offsets from
 * UTC (seconds) and the instants (seconds since the epoch) from which each holds.
 */
export interface Zone {
  readonly name: string;
  readonly changes: readonly { readonly from: number; readonly offset: number }[];
}

export const FIRST_YEAR = 2020;
export const LAST_YEAR = 2040;

const START = Date.UTC(FIRST_YEAR - 1, 0, 1) / 1000;
const END = Date.UTC(LAST_YEAR + 3, 0, 1) / 1000;
const STEP = 5 * 86_400;

/** Finds every change of an offset between START and END. */
function changesOf(offsetAt: (second: number) => number): Zone["changes"] {
  let offset = offsetAt(START);
  const changes = [{ from: -Infinity, offset }];
  for (let at = START; at < END; at += STEP) {
    const next = offsetAt(at + STEP);
    if (next === offset) continue;
    let [low, high] = [at, at + STEP];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (offsetAt(middle) === offset) low = middle;
      else high = middle;
    }
    changes.push({ from: high, offset: next });
    offset = next;
  }
  return changes;
}

/** The zone by Node's own data, or null when Node does not know it. */
export function nodeZone(name: string): Zone | null {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" });
  } catch {
    return null;
  }
  const changes = changesOf((second) => {
    const found = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(format.format(second * 1000));
    if (found === null) throw new Error(`no offset in ${format.format(second * 1000)}`);
    const [, sign, hours = "0", minutes = "0", seconds = "0"] = found;
    const size = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
    return sign === "-" ? -size : size;
  });
  return { name, changes };
}

/**
 * The zone by the server's data, asked of Postgres itself and of nothing of ours, every half hour
 * (on which all changes of the years under test fall).
 */
async function serverZone(sql: TestSql, name: string): Promise<Zone> {
  const changes = await sql<{ from: number; offset: number }[]>`
    select case when i = 1 then '-Infinity' else s::float8 end as from, o as offset
    from (
      select s, i, o, lag(o, 1) over (order by s) as before
      from generate_series(${START}::int8, ${END}::int8, 1800) with ordinality as g (s, i)
      cross join lateral (select extract(epoch from to_timestamp(s) at time zone ${name})::int8 - s as o) as x
    ) as t
    where o is distinct from before
    order by s`;
  return { name, changes: changes.map(({ from, offset }) => ({ from, offset })) };
}

/** The offset of a zone at an instant. */
export function offsetAt({ name, changes }: Zone, second: number): number {
  let [low, high] = [0, changes.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((changes[middle]?.from ?? Infinity) <= second) low = middle;
    else high = middle - 1;
  }
  const change = changes[low];
  if (change === undefined) throw new Error(`${name} has no offset at ${second}`);
  return change.offset;
}

/**
 * Every zone the server knows and Carillon accepts. The view pg_timezone_names fails as a whole
 * when one file of the tz database is a dangling link, so the folder is read then.
 */
export async function serverZones(sql: TestSql): Promise<string[]> {
  const names = await sql<{ name: string }[]>`select name from pg_timezone_names`.catch(
    () => sql<{ name: string }[]>`
      with recursive tree (path, folder) as (
        select '', true
        union all
        select ltrim(t.path || '/' || f.name, '/'),
          (pg_stat_file('/usr/share/zoneinfo/' || t.path || '/' || f.name, true)).isdir
        from tree t, pg_ls_dir('/usr/share/zoneinfo/' || t.path) f (name)
        where t.folder
      )
      select path as name from tree where not folder`,
  );
  const rows = await sql<{ name: string }[]>`
    select name from unnest(${names.map(({ name }) => name)}::text[]) as name
    where pg_temp.accepts_zone(name) order by name`;
  return rows.map(({ name }) => name);
}

/** A function in this session that says whether check_schedule takes a zone. */
export async function createAcceptsZone(sql: TestSql): Promise<void> {
  await sql.unsafe(`
    create function pg_temp.accepts_zone(name text) returns boolean language plpgsql as $$
    begin
      perform carillon.check_schedule('* * * * *', name);
      return true;
    exception when sqlstate 'TK003' then
      return false;
    end $$`);
}

/**
 * The zones for the model: by Node's data where server and Node agree on every offset of the years
 * under test; where they do not (their tz databases are of different versions) by the server's own
 * offsets, with their names in `differing`.
 */
export async function modelZones(
  sql: TestSql,
  names: readonly string[],
): Promise<{ zones: Zone[]; differing: string[] }> {
  const zones: Zone[] = [];
  const differing: string[] = [];
  for (const name of names) {
    const zone = nodeZone(name);
    const seconds: number[] = [];
    for (let at = START; at < END; at += STEP) seconds.push(at);
    for (const { from } of zone?.changes ?? []) {
      if (Number.isFinite(from)) seconds.push(from, from - 1);
    }
    const [row] = await sql<{ offsets: number[] }[]>`
      select array_agg(
        extract(epoch from to_timestamp(s) at time zone ${name})::int8 - s order by i) as offsets
      from unnest(${seconds}::int8[]) with ordinality as u (s, i)`;
    if (zone !== null && seconds.every((at, i) => Number(row?.offsets[i]) === offsetAt(zone, at))) {
      zones.push(zone);
    } else {
      zones.push(await serverZone(sql, name));
      differing.push(name);
    }
  }
  return { zones, differing };
}
