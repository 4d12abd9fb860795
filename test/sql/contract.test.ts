import { readFileSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { ERRORS } from "../../src/errors.js";
import { createTestDatabase, type TestDatabase, type TestSql } from "../helpers/database.js";
import {
  code,
  type Fixture,
  fixtures,
  included,
  read,
  README,
  SCHEMA,
  uncommented,
} from "./fixtures.js";

/*
 * What holds for every object of the schema, asked of the catalog. After a change that is meant,
 * `npx vitest run test/sql/contract.test.ts -u` writes sql/schema.txt and the lists of
 * sql/README.md anew.
 */

let db: TestDatabase;
let sql: TestSql;
beforeAll(async () => {
  db = await createTestDatabase();
  sql = db.sql;
});
afterAll(() => db.drop());

/** Names, for a list of offenders that should be empty. */
const names = async (query: PromiseLike<readonly { name: string }[]>) =>
  (await query).map(({ name }) => name);

/** Files that define a function or a view. */
const defining = fixtures().filter(
  ({ room, path }) => room !== "tables" && path !== "core/install_defaults.sql",
);

describe("files", () => {
  test.each(defining.map((fixture) => [fixture.path, fixture]))(
    "%s defines one object of its name, with its comment and its rights",
    (_path, fixture) => {
      const text = code(fixture);
      const made = [...text.matchAll(/create (?:or replace )?(\w+) carillon\.(\w+)/g)];
      expect(made.map(([, , name]) => name)).toEqual([fixture.name]);
      const kind = made[0]?.[1] ?? "";
      expect(text).toContain(`create or replace ${kind} carillon.${fixture.name}`);
      expect(text).toContain(`comment on ${kind} carillon.${fixture.name}`);
      if (kind === "function") {
        expect(text).toMatch(
          new RegExp(`revoke all on function carillon\\.${fixture.name}\\(.*\\) from public;`),
        );
        expect(text).toMatch(/\bsecurity (invoker|definer)\b/);
      }
    },
  );

  test("all.sql includes each of them once, and nothing else", () => {
    expect(included("all.sql").sort()).toEqual(defining.map(({ path }) => path).sort());
  });

  test("baseline.sql includes every file there is", () => {
    const all = new Set(included("baseline.sql"));
    expect(fixtures().filter(({ path }) => !all.has(path))).toEqual([]);
  });

  const offenders = (name: RegExp, allowed: (fixture: Fixture) => boolean) =>
    fixtures()
      .filter((fixture) => name.test(uncommented(fixture)) && !allowed(fixture))
      .map(({ path }) => path);

  test("pg_cron is named in the room beats only", () => {
    const ours =
      /(?<![\w.])cron\.(job\b|job_run_details\b|(un)?schedule\(|schedule_in_database|alter_job)/;
    expect(offenders(ours, ({ room }) => room === "beats")).toEqual([]);
  });

  test("pgmq is named in the rooms queue and jobs only, and where slots are decided by the batch", () => {
    // Overlap, ledger and enqueue are one statement there; that is what makes 10,000 crons cheap.
    const allowed = ["tables/queue.sql", "ticks/_fire_batch.sql"];
    expect(
      offenders(
        /\bpgmq\./,
        ({ room, path }) => ["queue", "jobs"].includes(room) || allowed.includes(path),
      ),
    ).toEqual([]);
  });

  test("whatever is raised is caught only where a bad cron is kept from its neighbours", () => {
    expect(offenders(/when others/, () => false)).toEqual([
      "ticks/_fire_one.sql",
      "ticks/_fire_some.sql",
      "ticks/_rearm_crons.sql",
    ]);
  });
});

describe("functions", () => {
  test("are those of the files, and none has two signatures", async () => {
    const made = await names(sql`
      select proname as name from pg_proc where pronamespace = 'carillon'::regnamespace order by 1`);
    const functions = defining.filter((fixture) => code(fixture).includes("replace function"));
    expect(made).toEqual(functions.map(({ name }) => name).sort());
  });

  test("pin their search_path, unless their body was parsed when they were made", async () => {
    expect(
      await names(sql`
        select p.oid::regprocedure::text as name
        from pg_proc p
        where p.pronamespace = 'carillon'::regnamespace and p.prosqlbody is null
          and not coalesce(p.proconfig, '{}') @> array['search_path=""']
          -- One-line helpers of big scans may be inlined, if they name nothing of ours.
          and (p.prolang <> (select oid from pg_language where lanname = 'sql')
            or p.prosrc ~ '\\m(carillon|pgmq|cron)\\.')`),
    ).toEqual([]);
  });

  test("that rule out kinds of plans rule out compiling them, too", async () => {
    expect(
      await names(sql`
        select p.oid::regprocedure::text as name
        from pg_proc p
        where p.pronamespace = 'carillon'::regnamespace and array_to_string(p.proconfig, ' ') ~ 'enable_\\w+=off'
          and not p.proconfig @> '{jit=off}'`),
    ).toEqual([]);
  });

  test("can be executed by their owner only", async () => {
    expect(
      await names(sql`
        select p.oid::regprocedure::text as name
        from pg_proc p
        left join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a on a.grantee <> p.proowner
        where p.pronamespace = 'carillon'::regnamespace and a.grantee is not null`),
    ).toEqual([]);
  });

  test("that are internal run with the caller's rights, the public ones with the owner's", async () => {
    expect(
      await names(sql`
        select p.oid::regprocedure::text as name
        from pg_proc p
        where p.pronamespace = 'carillon'::regnamespace and p.proname <> 'now'
          and p.prosecdef = starts_with(p.proname, '_')`),
    ).toEqual([]);
  });

  test("that are public have parameters without prefix", async () => {
    expect(
      await names(sql`
        select p.oid::regprocedure::text || ': ' || a as name
        from pg_proc p, unnest(p.proargnames) a
        where p.pronamespace = 'carillon'::regnamespace and not starts_with(p.proname, '_')
          and (a ~ '^(p|v)?_' or a !~ '^[a-z][a-z_]*$')`),
    ).toEqual([]);
  });

  test("are as volatile as what they do and call", async () => {
    const rank = { i: 0, s: 1, v: 2 };
    const rows = await sql<{ name: string; volatility: "i" | "s" | "v" }[]>`
      select proname as name, provolatile as volatility
      from pg_proc where pronamespace = 'carillon'::regnamespace`;
    const volatilityOf = new Map(rows.map((row) => [row.name, row.volatility]));
    const wrong: string[] = [];
    for (const fixture of defining) {
      const declared = volatilityOf.get(fixture.name);
      if (declared === undefined || declared === "v") continue;
      const body = code(fixture).split("comment on function")[0] ?? "";
      if (
        /\b(insert into|update (carillon|pgmq|cron)\.|delete from|for (no key )?(update|share)|pg_notify|nextval|advisory)/.test(
          body,
        )
      ) {
        wrong.push(`${fixture.name} writes`);
      }
      if (declared === "i" && /\bfrom (carillon|pgmq|pg_catalog|cron)\.\w+\b(?!\()/.test(body)) {
        wrong.push(`${fixture.name} reads tables`);
      }
      for (const [, callee] of body.matchAll(/carillon\.(\w+)\(/g)) {
        const needed = volatilityOf.get(callee ?? "");
        // The clock is volatile; a stable function may read it once.
        if (needed === undefined || (callee === "now" && declared === "s")) continue;
        if (rank[needed] > rank[declared]) wrong.push(`${fixture.name} calls ${callee}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe("tables and views", () => {
  test("belong to their owner only", async () => {
    expect(
      await names(sql`
        select c.oid::regclass::text as name
        from pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
        where c.relnamespace = 'carillon'::regnamespace and a.grantee <> c.relowner
        union all
        select nspname from pg_namespace n, aclexplode(n.nspacl) a
        where nspname = 'carillon' and a.grantee <> n.nspowner`),
    ).toEqual([]);
  });

  test("have a comment, as all functions do", async () => {
    expect(
      await names(sql`
        select c.oid::regclass::text as name
        from pg_class c
        where c.relnamespace = 'carillon'::regnamespace and c.relkind in ('r', 'p', 'v')
          and obj_description(c.oid, 'pg_class') is null
          and c.relname !~ '_\\d{8}$'
        union all
        select p.oid::regprocedure::text from pg_proc p
        where p.pronamespace = 'carillon'::regnamespace and obj_description(p.oid, 'pg_proc') is null`),
    ).toEqual([]);
  });

  test("have an index for every foreign key", async () => {
    expect(
      await names(sql`
        select f.conrelid::regclass || '.' || f.conname as name
        from pg_constraint f
        where f.connamespace = 'carillon'::regnamespace and f.contype = 'f' and not exists (
          select from pg_index i
          where i.indrelid = f.conrelid and i.indisvalid
            and (i.indkey::smallint[])[0:cardinality(f.conkey) - 1] operator(pg_catalog.@>) f.conkey
            -- A row whose key is null has nothing to be found by.
            and (i.indpred is null or pg_get_expr(i.indpred, i.indrelid) ~ '^\\(\\w+ IS NOT NULL\\)$'))`),
    ).toEqual([]);
  });

  test("name every check and unique constraint", async () => {
    expect(
      await names(sql`
        select conname as name
        from pg_constraint c join pg_class t on t.oid = c.conrelid
        where c.connamespace = 'carillon'::regnamespace and c.contype in ('c', 'u')
          and conname ~ ('^' || t.relname || '_.*(_check|_key)\\d*$')`),
    ).toEqual([]);
  });

  test("are those of sql/schema.txt", async () => {
    const lines = await names(sql`
      with relations as (
        select c.oid, c.relname, c.relkind from pg_class c
        where c.relnamespace = 'carillon'::regnamespace and c.relkind in ('r', 'p', 'v')
          and c.relname !~ '_(\\d{8}|default)$'
      )
      select line as name from (
        select relname, 0 as part, 0 as at,
          case relkind when 'v' then 'view ' when 'p' then 'partitioned table ' else 'table ' end || relname as line
        from relations
        union all
        select r.relname, 1, a.attnum, '  ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
          || case when a.attnotnull then ' not null' else '' end
          || case when a.attidentity <> '' then ' identity' else '' end
          || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
        from relations r
        join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
        left join pg_attrdef d on d.adrelid = r.oid and d.adnum = a.attnum
        union all
        select r.relname, 2, row_number() over (partition by r.oid order by k.conname),
          '  constraint ' || k.conname || ' ' || pg_get_constraintdef(k.oid)
        from relations r join pg_constraint k on k.conrelid = r.oid and k.contype <> 'n'
        union all
        select r.relname, 3, row_number() over (partition by r.oid order by i.indexrelid::regclass::text),
          '  index ' || regexp_replace(pg_get_indexdef(i.indexrelid), '^CREATE |ON (ONLY )?', '', 'g')
        from relations r join pg_index i on i.indrelid = r.oid
        where not exists (select from pg_constraint k where k.conindid = i.indexrelid)
      ) lines
      order by relname, part, at`);
    await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot(SCHEMA);
  });
});

describe("errors", () => {
  const inCode = Object.values(ERRORS).flatMap(({ sqlstate }) => sqlstate ?? []);

  test("that functions raise are those of src/errors.ts", () => {
    const raised = fixtures().flatMap((fixture) =>
      [...code(fixture).matchAll(/errcode = '(\w+)'/g)].map(([, state]) => state),
    );
    expect([...new Set(raised)].sort()).toEqual([...new Set(inCode)].sort());
  });

  test("are in the table of sql/README.md, in order", () => {
    const listed = [...readFileSync(README, "utf8").matchAll(/^\| `(TK\d{3})`/gm)];
    expect(listed.map(([, state]) => state)).toEqual([...new Set(inCode)].sort());
  });
});

test("sql/README.md lists the public functions as they are", async () => {
  const functions = await sql<{ name: string; args: string; result: string; about: string }[]>`
    select p.proname as name, pg_get_function_arguments(p.oid) as args,
      case when pg_get_function_result(p.oid) ~ '^TABLE' then 'table' else pg_get_function_result(p.oid) end as result,
      obj_description(p.oid, 'pg_proc') as about
    from pg_proc p
    where p.pronamespace = 'carillon'::regnamespace and not starts_with(p.proname, '_')
    order by 1`;
  const rooms = new Map(defining.map(({ name, room }) => [name, room]));
  const lines = [...new Set(functions.map(({ name }) => rooms.get(name) ?? ""))]
    .sort()
    .flatMap((room) => [
      `### ${room}`,
      "",
      ...functions
        .filter(({ name }) => rooms.get(name) === room)
        .map(({ name, args, result, about }) => {
          const plain = args
            .replace(/::[a-z ]+(\[\])?/g, "")
            .replaceAll("timestamp with time zone", "timestamptz");
          return `- **\`${name}\`**\`(${plain})\` → \`${result.replace("timestamp with time zone", "timestamptz")}\`<br>${about}`;
        }),
      "",
    ]);
  const now = readFileSync(README, "utf8");
  const [head, rest] = now.split("<!-- functions -->\n");
  const tail = rest?.split("<!-- /functions -->")[1];
  expect(tail, "sql/README.md has its markers").toBeDefined();
  const wanted = `${head}<!-- functions -->\n\n${lines.join("\n")}\n<!-- /functions -->${tail}`;
  await expect(wanted).toMatchFileSnapshot(README);
});

test("the committed migrations hold what the files say", async () => {
  const objects = () => sql`
    select p.oid::regprocedure::text as name, pg_get_functiondef(p.oid) as body, p.proacl::text as rights,
      obj_description(p.oid, 'pg_proc') as comment
    from pg_proc p where p.pronamespace = 'carillon'::regnamespace
    union all
    select c.oid::regclass::text, pg_get_viewdef(c.oid), c.relacl::text, obj_description(c.oid, 'pg_class')
    from pg_class c where c.relnamespace = 'carillon'::regnamespace and c.relkind = 'v'
    order by 1`;
  const migrated = await objects();
  await sql.begin(async (tx) => {
    for (const path of included("all.sql")) await tx.unsafe(read(path));
  });
  expect(await objects()).toEqual(migrated);
});
