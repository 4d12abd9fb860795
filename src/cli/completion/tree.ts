import type { Command } from "commander";

/** A command as completion sees it. */
export interface Node {
  /** The words that lead to it: "", "crons", "crons list". */
  path: string;
  commands: { name: string; description: string }[];
  options: {
    names: string[];
    description: string;
    takesValue: boolean;
    choices: readonly string[];
  }[];
  /** What its first argument may be, where that is fixed. */
  choices: readonly string[];
}

/** All commands, from the program down. */
export function treeOf(command: Command, path = ""): Node[] {
  const help = command.createHelp();
  const children = help.visibleCommands(command);
  const node: Node = {
    path,
    commands: children.map((child) => ({ name: child.name(), description: child.description() })),
    options: help.visibleOptions(command).map((option) => ({
      names: [option.short, option.long].filter((name) => name !== undefined && name !== null),
      description: option.description,
      takesValue: option.required || option.optional,
      choices: option.argChoices ?? [],
    })),
    choices: command.registeredArguments[0]?.argChoices ?? [],
  };
  const deeper = command.commands.flatMap((child) =>
    treeOf(child, `${path} ${child.name()}`.trim()),
  );
  return [node, ...deeper];
}
