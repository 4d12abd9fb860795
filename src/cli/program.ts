import { Command } from "commander";
import { packageVersion } from "../version.js";
import { type CommandRow, COMMANDS } from "./commands.js";

const EXAMPLES = `
Examples:
  carillon dev                                  a whole system to try
  carillon crons list --app crm                 what is scheduled
  carillon jobs list --app crm --status failed  what went wrong

Exit codes: 0 done; 1 failed; 2 called wrongly or not valid; 3 not found or not allowed; 4 in conflict; 5 not available.`;

/** The program with all of its commands. */
export const createProgram = (): Promise<Command> => assemble(() => true);

/**
 * The program, for one call: of commands that are not run there is no more than their names. Most of
 * the time a call takes would else go by on reading what it does not need.
 *
 * @param args what follows `carillon` on the command line
 */
export function programFor(args: readonly string[]): Promise<Command> {
  const [first, second] = args.filter((arg) => !arg.startsWith("-"));
  const meant = first === "help" ? second : first;
  // Its script is made from all of them.
  return assemble(({ name }) => meant === "completion" || name === meant);
}

async function assemble(isNeeded: (row: CommandRow) => boolean): Promise<Command> {
  const program = new Command("carillon")
    .description(
      "A Postgres-native scheduler: pg_cron wakes, SQL decides, pgmq carries, onJob runs.",
    )
    .version(packageVersion())
    // What else a command takes is told by its own help.
    .configureHelp({ subcommandTerm: (command) => command.name() });
  for (const { title, commands } of COMMANDS) {
    program.commandsGroup(title);
    for (const row of commands) {
      const command = isNeeded(row) ? await row.load() : new Command(row.name);
      program.addCommand(command.description(row.description));
    }
  }
  program.addHelpText("after", EXAMPLES);
  settle(program);
  return program;
}

/** Usage errors are thrown like all others; and what is wrong is said with the help it takes. */
function settle(command: Command): void {
  command.exitOverride().showHelpAfterError("(add --help for what it takes)");
  for (const child of command.commands) settle(child);
}
