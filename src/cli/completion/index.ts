import { Argument, Command } from "commander";
import { bashScript } from "./bash.js";
import { fishScript } from "./fish.js";
import { treeOf } from "./tree.js";
import { zshScript } from "./zsh.js";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** Prints what a shell needs to complete our commands, made from the commands themselves. */
export const completionCommand = new Command("completion")
  .addArgument(new Argument("<shell>").choices(["bash", "zsh", "fish"]))
  .addHelpText(
    "after",
    `
Examples:
  bash  source <(carillon completion bash)          in ~/.bashrc
  zsh   source <(carillon completion zsh)           in ~/.zshrc, after compinit
  fish  carillon completion fish > ~/.config/fish/completions/carillon.fish`,
  )
  .action((shell: keyof typeof SCRIPTS, _: object, command: Command) => {
    if (command.parent === null) throw new Error("completion stands alone");
    process.stdout.write(SCRIPTS[shell](treeOf(command.parent)));
  });
