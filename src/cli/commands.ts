import type { Command } from "commander";

/** A command of the first level: what help says of it, and where it is. */
export interface CommandRow {
  readonly name: string;
  readonly description: string;
  /** Its module, with all that it takes, is read when it is the one that is run. */
  readonly load: () => Promise<Command>;
}

export interface CommandGroup {
  readonly title: string;
  readonly commands: readonly CommandRow[];
}

const row = (name: string, description: string, load: CommandRow["load"]): CommandRow => ({
  ...{ name, description, load },
});

/** All commands, as help lists them: those of the installation itself, and those over its API. */
export const COMMANDS: readonly CommandGroup[] = [
  {
    title: "The installation, by DATABASE_URL:",
    commands: [
      row(
        "migrate",
        "install or update Carillon in the database DATABASE_URL, and let pg_cron drive it",
        async () => (await import("./migrate.js")).migrateCommand,
      ),
      row(
        "deploy",
        "install or update an app from its manifest, straight in the database DATABASE_URL",
        async () => (await import("./deploy/index.js")).deployCommand,
      ),
      row(
        "serve",
        "serve the API on CARILLON_HOST:CARILLON_PORT (default 127.0.0.1:8080)",
        async () => (await import("./serve.js")).serveCommand,
      ),
      row(
        "worker",
        "run an app's worker from a module that exports onJob (and onStart, onShutdown)",
        async () => (await import("./worker.js")).workerCommand,
      ),
      row(
        "dispatch",
        "send jobs to their targets: HTTP endpoints, agents, Faktory, containers",
        async () => (await import("./dispatch.js")).dispatchCommand,
      ),
      row(
        "faktory",
        "look at the Faktory servers that jobs are pushed to",
        async () => (await import("./faktory.js")).faktoryCommand,
      ),
      row(
        "dev",
        "bring up a private Postgres with Carillon and its API, for development",
        async () => (await import("./dev.js")).devCommand,
      ),
      row(
        "doctor",
        "examine the installation in DATABASE_URL; exit code 1 when something is broken",
        async () => (await import("./doctor.js")).doctorCommand,
      ),
      row(
        "release",
        "make the database DATABASE_URL the home of its schedules, so that they fire here",
        async () => (await import("./release.js")).releaseCommand,
      ),
    ],
  },
  {
    title: "What it does, over its API (--url, --key):",
    commands: [
      row(
        "apps",
        "apps: list, show, edit, uninstall",
        async () => (await import("./apps.js")).appsCommand,
      ),
      row(
        "crons",
        "crons of an app: list, show, create, edit, pause, resume, trigger, …",
        async () => (await import("./crons/index.js")).cronsCommand,
      ),
      row(
        "jobs",
        "jobs of an app: list, show, logs, enqueue, cancel, retry, move, cancel-many, retry-many",
        async () => (await import("./jobs/index.js")).jobsCommand,
      ),
      row(
        "letters",
        "dead letters of an app: list, redrive, delete",
        async () => (await import("./letters.js")).lettersCommand,
      ),
      row(
        "attention",
        "what needs somebody, most serious first",
        async () => (await import("./attention.js")).attentionCommand,
      ),
      row(
        "workers",
        "who is there to take jobs, idle ones too",
        async () => (await import("./workers.js")).workersCommand,
      ),
      row(
        "stats",
        "how jobs ended, how long they ran and waited",
        async () => (await import("./stats.js")).statsCommand,
      ),
      row(
        "audit",
        "who changed what, newest first",
        async () => (await import("./audit.js")).auditCommand,
      ),
      row(
        "retention",
        "how long finished jobs are kept: show, set",
        async () => (await import("./retention.js")).retentionCommand,
      ),
      row(
        "secrets",
        "an app's secrets: list, set, delete; and the key they are encrypted by",
        async () => (await import("./secrets.js")).secretsCommand,
      ),
      row(
        "signing-keys",
        "what an app's HTTP calls are signed by: list, rotate",
        async () => (await import("./signing-keys.js")).signingKeysCommand,
      ),
      row(
        "targets",
        "an app's targets: list the broken ones, reset",
        async () => (await import("./targets.js")).targetsCommand,
      ),
      row(
        "users",
        "users and service accounts: list, show, create, disable, enable, delete, grant, revoke",
        async () => (await import("./users.js")).usersCommand,
      ),
      row(
        "roles",
        "roles: list, show, create, edit, delete",
        async () => (await import("./roles.js")).rolesCommand,
      ),
      row(
        "keys",
        "API keys: list, create, revoke",
        async () => (await import("./keys.js")).keysCommand,
      ),
      row(
        "tick",
        "decide what is due, once, and print what was done as JSON",
        async () => (await import("./tick.js")).tickCommand,
      ),
      row(
        "export",
        "write a manifest of an app and all its crons",
        async () => (await import("./export/index.js")).exportCommand,
      ),
      row(
        "import",
        "take crons over from pg-cron, graphile-worker, pg-boss or kubernetes, and say what changes",
        async () => (await import("./import/index.js")).importCommand,
      ),
      row(
        "whoami",
        "show who one is by the key, and what one may do",
        async () => (await import("./whoami.js")).whoamiCommand,
      ),
    ],
  },
  {
    title: "Other:",
    commands: [
      row(
        "completion",
        "print the completion script of a shell",
        async () => (await import("./completion/index.js")).completionCommand,
      ),
    ],
  },
];
