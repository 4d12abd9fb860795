import { Command } from "commander";
import { appsCommand } from "./apps.js";
import { attentionCommand } from "./attention.js";
import { auditCommand } from "./audit.js";
import { completionCommand } from "./completion/index.js";
import { cronsCommand } from "./crons/index.js";
import { deployCommand } from "./deploy/index.js";
import { devCommand } from "./dev.js";
import { dispatchCommand } from "./dispatch.js";
import { doctorCommand } from "./doctor.js";
import { exportCommand } from "./export/index.js";
import { faktoryCommand } from "./faktory.js";
import { importCommand } from "./import/index.js";
import { jobsCommand } from "./jobs/index.js";
import { keysCommand } from "./keys.js";
import { lettersCommand } from "./letters.js";
import { migrateCommand } from "./migrate.js";
import { releaseCommand } from "./release.js";
import { retentionCommand } from "./retention.js";
import { rolesCommand } from "./roles.js";
import { secretsCommand } from "./secrets.js";
import { serveCommand } from "./serve.js";
import { signingKeysCommand } from "./signing-keys.js";
import { targetsCommand } from "./targets.js";
import { statsCommand } from "./stats.js";
import { tickCommand } from "./tick.js";
import { usersCommand } from "./users.js";
import { packageVersion } from "../version.js";
import { whoamiCommand } from "./whoami.js";
import { workerCommand } from "./worker.js";

/** All commands: those of the installation itself, by DATABASE_URL, and those over its API. */
export function createProgram(): Command {
  const program = new Command("carillon")
    .description(
      "A Postgres-native scheduler: pg_cron wakes, SQL decides, pgmq carries, onJob runs.",
    )
    .version(packageVersion())
    .commandsGroup("The installation, by DATABASE_URL:")
    .addCommand(migrateCommand)
    .addCommand(deployCommand)
    .addCommand(serveCommand)
    .addCommand(workerCommand)
    .addCommand(dispatchCommand)
    .addCommand(faktoryCommand)
    .addCommand(devCommand)
    .addCommand(doctorCommand)
    .addCommand(releaseCommand)
    .commandsGroup("What it does, over its API (--url, --key):")
    .addCommand(appsCommand)
    .addCommand(cronsCommand)
    .addCommand(jobsCommand)
    .addCommand(lettersCommand)
    .addCommand(attentionCommand)
    .addCommand(statsCommand)
    .addCommand(auditCommand)
    .addCommand(retentionCommand)
    .addCommand(secretsCommand)
    .addCommand(signingKeysCommand)
    .addCommand(targetsCommand)
    .addCommand(usersCommand)
    .addCommand(rolesCommand)
    .addCommand(keysCommand)
    .addCommand(tickCommand)
    .addCommand(exportCommand)
    .addCommand(importCommand)
    .addCommand(whoamiCommand)
    .commandsGroup("Other:")
    .addCommand(completionCommand)
    .addHelpText(
      "after",
      `
Examples:
  carillon dev                                  a whole system to try
  carillon crons list --app crm                 what is scheduled
  carillon jobs list --app crm --status failed  what went wrong

Exit codes: 0 done; 1 failed; 2 called wrongly or not valid; 3 not found or not allowed; 4 in conflict; 5 not available.`,
    );
  settle(program);
  return program;
}

/** Usage errors are thrown like all others; and what is wrong is said with the help it takes. */
function settle(command: Command): void {
  command.exitOverride().showHelpAfterError("(add --help for what it takes)");
  for (const child of command.commands) settle(child);
}
