import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import autocannon, { type Request } from "autocannon";
import { connect, type Sql } from "../../src/db/connect.js";
import { authenticateKey } from "../../src/db/principals.js";
import * as crons from "../../src/db/crons.js";
import { hashKey } from "../../src/api/keys.js";
import type { Benchmark, Figures } from "./harness/benchmark.js";
import { times } from "./harness/contestant.js";
import { percentile } from "./harness/stats.js";
import { table } from "./harness/table.js";

/*
 * Requests a second, and the slowest of a hundred, of the API in a process of its own, with as many
 * requests at once as it has connections; beside them the calls of the database that such a request
 * makes, by as many callers at once and without HTTP.
 */

const AT_ONCE = 10;
const LIST = 100;

interface Part {
  name: string;
  /** The request; the nth of many. */
  request: Request;
  /** The same without HTTP. */
  call: (sql: Sql, n: number) => Promise<unknown>;
}

export const bench: Benchmark = async ({ server, tiny, rounds, only, say }) => {
  const url = await server.carillon("bench_api");
  const sql = connect(url, { max: AT_ONCE, name: "bench" });
  await using api = await serve(url);
  await sql`select carillon.install_app('crm')`;
  for (let n = 0; n < LIST; n++) {
    await crons.createCron(sql, "crm", { name: `listed-${n}`, schedule: "0 9 * * *" }, null);
  }
  await sql`select carillon.install_app('made')`;
  await sql`analyze`;
  const actor = await authenticateKey(sql, hashKey(api.key));
  if (actor === undefined) throw new Error("the server's key is no good");
  const hash = hashKey(api.key);
  const mine = await crons.createCron(sql, "crm", { name: "mine", schedule: "0 9 * * *" }, actor);

  const seconds = tiny ? 0.3 : 5;
  const rows: (string | number)[][] = [];
  const figures: Figures = {};
  for (const part of parts(mine.id, actor).filter(({ name }) => name.includes(only))) {
    const found = { rps: 0, p99: Infinity, dbRps: 0, dbP99: Infinity };
    for (let round = 0; round < rounds; round++) {
      const { rps, p99 } = await overHttp(api, part.request, seconds);
      const bare = await overSql(sql, seconds, async (n) => {
        await authenticateKey(sql, hash);
        await part.call(sql, n);
      });
      // The best of the rounds: what is in its way is not its own.
      found.rps = Math.max(found.rps, rps);
      found.p99 = Math.min(found.p99, p99);
      found.dbRps = Math.max(found.dbRps, bare.rps);
      found.dbP99 = Math.min(found.dbP99, bare.p99);
    }
    rows.push([part.name, found.rps, found.p99, found.dbRps, found.dbP99, found.rps / found.dbRps]);
    figures[`${part.name}_rps`] = found.rps;
    figures[`${part.name}_p99_ms`] = found.p99;
    figures[`${part.name}_ratio_db`] = found.rps / found.dbRps;
  }
  await sql.end();
  say(table(["API", "requests/s", "p99 ms", "bare calls/s", "p99 ms", "ratio"], rows));
  return figures;
};

type Actor = NonNullable<Awaited<ReturnType<typeof authenticateKey>>>;

function parts(cronId: string, actor: Actor): Part[] {
  const base = "/api/v1/apps/crm/crons";
  let made = 0;
  const spec = (name: string) => ({ name, schedule: "0 9 * * *", payload: { task: "check" } });
  return [
    {
      name: "list",
      request: { method: "GET", path: base },
      call: (sql) => crons.listCrons(sql, "crm"),
    },
    {
      name: "get",
      request: { method: "GET", path: `${base}/${cronId}` },
      call: (sql) => crons.getCron(sql, "crm", cronId),
    },
    {
      name: "create",
      request: {
        method: "POST",
        path: "/api/v1/apps/made/crons",
        setupRequest: (request) => {
          made += 1;
          return { ...request, body: JSON.stringify(spec(`http-${made}`)) };
        },
      },
      call: (sql) => {
        made += 1;
        return crons.createCron(sql, "made", spec(`sql-${made}`), actor);
      },
    },
    {
      name: "trigger",
      request: { method: "POST", path: `${base}/${cronId}/trigger` },
      call: (sql) => crons.triggerCron(sql, "crm", cronId, {}, actor),
    },
  ];
}

async function overHttp(api: Served, request: Request, seconds: number) {
  const headers = { authorization: `Bearer ${api.key}`, "content-type": "application/json" };
  const result = await autocannon({
    url: api.url,
    connections: AT_ONCE,
    duration: seconds,
    requests: [{ ...request, headers }],
  });
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${result.non2xx} answers were refusals, and ${result.errors} requests failed`);
  }
  return { rps: result["2xx"] / result.duration, p99: result.latency.p99 };
}

async function overSql(sql: Sql, seconds: number, call: (n: number) => Promise<unknown>) {
  const latencies: number[] = [];
  const started = performance.now();
  const until = started + seconds * 1000;
  await times(AT_ONCE, AT_ONCE, async (lane) => {
    while (performance.now() < until) {
      const at = performance.now();
      await call(lane);
      latencies.push(performance.now() - at);
    }
  });
  const took = (performance.now() - started) / 1000;
  return { rps: latencies.length / took, p99: percentile(latencies, 99) };
}

interface Served extends AsyncDisposable {
  url: string;
  key: string;
}

/** carillon serve, as it is run, on a port of its own. */
async function serve(databaseUrl: string): Promise<Served> {
  const cli = fileURLToPath(new URL("../../dist/cli/index.js", import.meta.url));
  const child = spawn(process.execPath, [cli, "serve", "--no-ticker"], {
    env: {
      ...process.env,
      ...{ DATABASE_URL: databaseUrl, CARILLON_PORT: "0", CARILLON_RATE_LIMIT: "0" },
      ...{ CARILLON_LOG_LEVEL: "warn" },
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let key = "";
  let url = "";
  for await (const line of createInterface({ input: child.stdout })) {
    key ||= /crl_\S+/.exec(line)?.[0] ?? "";
    url = /listening on (\S+)/.exec(line)?.[1] ?? "";
    if (url !== "") break;
  }
  if (url === "") throw new Error("carillon serve did not start");
  return {
    ...{ url, key },
    [Symbol.asyncDispose]: async () => {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
    },
  };
}
