import { fillPermission } from "../../src/api/permissions.js";
import type { Route } from "../../src/api/route.js";
import type { Sql } from "../../src/db/connect.js";
import { createPrincipal } from "../../src/db/principals.js";
import { createRole } from "../../src/db/roles.js";
import { enqueueJob } from "../../src/db/jobs.js";
import type { TestApi } from "./api.js";

export const label = (route: Route) => `${route.method.toUpperCase()} ${route.path}`;

/** A body with which a request is a good one; a route that can do without may be missing here. */
const BODIES: Record<string, object> = {
  "POST /api/v1/apps/{appId}/crons": { name: "sample", schedule: "0 9 * * *" },
  "PATCH /api/v1/apps/{appId}/crons/{id}": { payload: { changed: true } },
  "POST /api/v1/apps/{appId}/crons/{id}/backfill": {
    from: new Date(Date.now() - 7_200_000).toISOString(),
    to: new Date(Date.now() - 3_600_000).toISOString(),
  },
  "PATCH /api/v1/apps/{appId}/jobs/{id}": { runAt: "2099-01-01T00:00:00Z" },
  "POST /api/v1/apps/{appId}/jobs/batch": { jobs: [{}] },
  "POST /api/v1/apps/{appId}/jobs/cancel": { filter: {} },
  "POST /api/v1/apps/{appId}/jobs/retry": { filter: {} },
  "POST /api/v1/apps/{appId}/dead-letters/redrive": { all: true },
  "POST /api/v1/apps/{appId}/dead-letters/delete": { all: true },
  "PUT /api/v1/apps/{appId}/manifest": { crons: [{ name: "declared", schedule: "0 9 * * *" }] },
  "PATCH /api/v1/apps/{appId}": { name: "Changed" },
  "PUT /api/v1/apps/{appId}/retention": { days: 30, keepLast: 10, keepFailed: null },
  "PUT /api/v1/apps/{appId}/crons/{id}/retention": { days: 7, keepLast: null, keepFailed: 5 },
  "PUT /api/v1/apps/{appId}/secrets/{name}": { value: "a secret's value" },
  "PUT /api/v1/apps/{appId}/targets/breaker": { failures: 5, coolDown: 60 },
  "POST /api/v1/principals": { username: "sample" },
  "PATCH /api/v1/principals/{id}": { enabled: true },
  "PUT /api/v1/principals/{id}/identities": { issuer: "https://id.example.com", subject: "sample" },
  "POST /api/v1/roles": { name: "sample", permissions: [] },
  "PATCH /api/v1/roles/{name}": { permissions: [] },
  "POST /api/v1/keys": { name: "sample" },
};

/** The query of those that need one. */
const QUERIES: Record<string, string> = {
  "GET /api/v1/schedules/preview": "?schedule=0+9+*+*+*",
  "DELETE /api/v1/principals/{id}/identities": "?issuer=https://id.example.com&subject=sample",
};

export interface Sample {
  method: string;
  path: string;
  body: unknown;
}

let count = 0;

/** A request to a route that is good if its sender is: on things made for it alone. */
export async function sampleOf(api: TestApi, route: Route, appId: string): Promise<Sample> {
  const name = label(route);
  count += 1;
  const params: Record<string, string> = { appId };
  for (const [, param = ""] of route.path.matchAll(/\{(\w+)\}/g)) {
    params[param] ??= await thing(api, route, param, appId);
  }
  const body = BODIES[name];
  if (body === undefined && route.body?.safeParse(undefined).success === false) {
    throw new Error(`${name} needs a body: give it one in test/api/samples.ts`);
  }
  return {
    method: route.method.toUpperCase(),
    path: fillPermission(route.path, params) + (QUERIES[name] ?? ""),
    body: body === undefined ? undefined : unique(body),
  };
}

/** A second sample of one name must not find it taken. */
const unique = (body: object) =>
  Object.fromEntries(
    Object.entries(body).map(([field, value]) => [
      field,
      value === "sample" ? `sample-${count}` : (value as unknown),
    ]),
  );

async function thing(api: TestApi, route: Route, param: string, appId: string): Promise<string> {
  const { sql } = api;
  const before = route.path.split(`/{${param}}`)[0]?.split("/").at(-1) ?? "";
  switch (`${before}/${param}`) {
    case "crons/id": {
      const body = { name: `cron-${count}`, schedule: "0 9 * * *" };
      const answer = await api.as(api.admin, "POST", `/api/v1/apps/${appId}/crons`, { body });
      return (answer.body as { id: string }).id;
    }
    case "jobs/id": {
      const id = await enqueueJob(sql, appId, {});
      // What runs again has ended, and so does the stream of its log.
      if (/\/(retry|logs\/\w+)$/.test(route.path)) {
        await sql`select carillon.cancel_job(job => ${id}, app => ${appId})`;
      }
      return String(id);
    }
    case "principals/id":
      return createPrincipal(sql, `principal-${count}`);
    case "keys/id":
      return (await api.caller(`keyholder-${count}`, [])).keyId;
    case "secrets/name": {
      const name = `SECRET_${count}`;
      const path = `/api/v1/apps/${appId}/secrets/${name}`;
      await api.as(api.admin, "PUT", path, { body: { value: "before" } });
      return name;
    }
    case "roles/name":
    case "roles/role":
      await createRole(sql, { name: `role-${count}`, permissions: [] });
      return `role-${count}`;
    default:
      throw new Error(`${label(route)}: say in test/api/samples.ts what its {${param}} is`);
  }
}

/** All that the database holds, as one short text: every table, but for when a key was last used. */
export async function fingerprint(sql: Sql): Promise<string> {
  const tables = await sql<{ name: string }[]>`
    select c.oid::regclass::text as name from pg_class c
    where c.relkind in ('r', 'p') and not c.relispartition
      and (c.relnamespace = 'carillon'::regnamespace
        or c.oid in ('pgmq.q_jobs'::regclass, 'pgmq.q_jobs_dlq'::regclass))
    order by 1`;
  const parts = tables.map(
    ({ name }) => `(select '${name}' as name, md5(coalesce(string_agg(t, ',' order by t), ''))
      from (select (to_jsonb(x) - 'last_used_at')::text as t from ${name} x) y)`,
  );
  const rows = await sql.unsafe<{ name: string; md5: string }[]>(parts.join(" union all "));
  return rows
    .map(({ name, md5 }) => `${name} ${md5}`)
    .sort()
    .join("\n");
}
