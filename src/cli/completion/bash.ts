import type { Node } from "./tree.js";

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** The words a node offers, and what its options offer, as cases of the shell. */
export function cases(nodes: readonly Node[]): { words: string; values: string } {
  const words = nodes.map(({ path, commands, options, choices }) => {
    const offered = [
      ...commands.map(({ name }) => name),
      ...choices,
      ...options.flatMap(({ names }) => names),
    ];
    return `    ${quote(path)}) offered=${quote(offered.join(" "))} ;;`;
  });
  const values = nodes.flatMap(({ path, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .flatMap(({ names, choices }) =>
        names.map(
          (name) =>
            `    ${quote(`${path} ${name}`.trim())}) values=${quote(choices.join(" ") || "-")} ;;`,
        ),
      ),
  );
  return { words: words.join("\n"), values: values.join("\n") };
}

/** Words that lead on to another command. */
export const paths = (nodes: readonly Node[]) =>
  nodes
    .filter(({ path }) => path !== "")
    .map(({ path }) => quote(path))
    .join("|");

/** For bash 3.2 and later. */
export function bashScript(nodes: readonly Node[]): string {
  const { words, values } = cases(nodes);
  return `# bash completion of carillon; made by: carillon completion bash
_carillon() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}"
  local path="" next offered="" values="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="$path\${path:+ }\${COMP_WORDS[i]}"
    case "$next" in
    ${paths(nodes)}) path="$next" ;;
    esac
  done
  COMPREPLY=()
  case "$path\${path:+ }$prev" in
${values}
  esac
  if [[ "$values" == "-" ]]; then
    COMPREPLY=($(compgen -f -- "$cur"))
    return
  fi
  if [[ -z "$values" ]]; then
    case "$path" in
${words}
    esac
    values="$offered"
  fi
  COMPREPLY=($(compgen -W "$values" -- "$cur"))
}
complete -o default -F _carillon carillon
`;
}
