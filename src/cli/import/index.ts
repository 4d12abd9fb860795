import { readFile, writeFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import { Command } from "commander";
import { requireDatabaseUrl, readConfig } from "../../config.js";
import { connect, type Sql } from "../../db/connect.js";
import { listPgBossSchedules, listPgCronJobs } from "../../db/importable.js";
import { CarillonError } from "../../errors.js";
import { resolveConnection } from "../connection.js";
import { manifestText } from "../export/text.js";
import { openSession, withConnection } from "../session.js";
import { apply } from "./apply.js";
import { importGraphile } from "./graphile.js";
import { importKubernetes } from "./kubernetes.js";
import { importPgBoss } from "./pg-boss.js";
import { importPgCron } from "./pg-cron.js";
import { reportText } from "./report.js";
import type { Imported } from "./types.js";

interface ImportOptions {
  app?: string;
  url?: string;
  key?: string;
  json?: true;
  output?: string;
  apply?: true;
  from?: string;
  schema?: string;
}

/** A source of crons: what its command takes, and how it is read. */
function source(name: string, description: string, example: string): Command {
  return withConnection(new Command(name).description(description))
    .option("-a, --app <id>", "the app that gets them (default: CARILLON_APP, or .carillonrc)")
    .option("-o, --output <file>", "write the manifest to a file, .yaml or .json")
    .option(
      "--apply",
      "create the crons in the app, over the API; those it has already stay as they are",
    )
    .addHelpText(
      "after",
      `\nPrints a manifest, and on stderr what will not be as it was.\n\nExample:\n  ${example}`,
    );
}

const fromDatabase = (command: Command) =>
  command.option("--from <url>", "the database to read (default: DATABASE_URL)");

const pgCron = fromDatabase(
  source(
    "pg-cron",
    "take over the jobs of pg_cron (cron.job)",
    "carillon import pg-cron --from postgres://… --app ops -o ops.yaml",
  ),
).action(async (options: ImportOptions) => {
  await finish(
    options,
    await reading(options, async (sql) => {
      const { jobs, timezone } = await listPgCronJobs(sql);
      return importPgCron(jobs, timezone);
    }),
  );
});

const pgBoss = fromDatabase(
  source(
    "pg-boss",
    "take over the schedules of pg-boss",
    "carillon import pg-boss --from postgres://… --app shop --apply",
  ),
)
  .option("--schema <name>", "where pg-boss lives", "pgboss")
  .action(async (options: ImportOptions) => {
    const schema = options.schema ?? "pgboss";
    await finish(
      options,
      await reading(options, async (sql) => importPgBoss(await listPgBossSchedules(sql, schema))),
    );
  });

const graphile = source(
  "graphile-worker",
  "take over a crontab of graphile-worker",
  "carillon import graphile-worker crontab --app crm",
)
  .argument("<file>", "the crontab")
  .action(async (file: string, options: ImportOptions) => {
    await finish(options, importGraphile(await text(file)));
  });

const kubernetes = source(
  "kubernetes",
  "take over CronJobs of Kubernetes",
  "kubectl get cronjobs -o yaml | carillon import kubernetes - --app ops",
)
  .argument("<file>", "YAML or JSON; - takes stdin")
  .option("--containers", "have a dispatcher run the containers: as targets of the crons")
  .action(async (file: string, options: ImportOptions & { containers?: true }) => {
    await finish(options, importKubernetes(await text(file), options.containers));
  });

/** Takes crons over from other schedulers. */
export const importCommand = new Command("import")
  .addCommand(pgCron)
  .addCommand(graphile)
  .addCommand(pgBoss)
  .addCommand(kubernetes);

async function reading(
  options: ImportOptions,
  read: (sql: Sql) => Promise<Imported>,
): Promise<Imported> {
  const sql = connect(options.from ?? requireDatabaseUrl(readConfig()), {
    max: 1,
    name: "carillon import",
  });
  try {
    return await read(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function text(file: string): Promise<string> {
  try {
    return file === "-" ? await readAll(process.stdin) : await readFile(file, "utf8");
  } catch (cause) {
    throw new CarillonError("invalid_input", `cannot read ${file}`, { cause });
  }
}

async function finish(options: ImportOptions, imported: Imported): Promise<void> {
  const app = (await resolveConnection(options)).app;
  const manifest = { ...(app === undefined ? {} : { id: app }), crons: imported.crons };
  if (!options.json) console.error(reportText(imported));
  if (options.apply) {
    await apply(await openSession(options), imported);
    return;
  }
  if (options.output !== undefined) {
    await writeFile(
      options.output,
      manifestText(manifest, options.output.endsWith(".json") ? "json" : "yaml"),
    );
  } else if (options.json) {
    console.log(JSON.stringify({ manifest, differences: imported.differences }));
  } else process.stdout.write(manifestText(manifest, "yaml"));
}
