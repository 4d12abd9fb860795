import { cases, paths } from "./bash.js";
import type { Node } from "./tree.js";

/** For zsh with its completion system (compinit) loaded. */
export function zshScript(nodes: readonly Node[]): string {
  const { words, values } = cases(nodes);
  return `#compdef carillon
# zsh completion of carillon; made by: carillon completion zsh
_carillon() {
  local prev="\${words[CURRENT-1]}" path_so_far="" next i
  for ((i = 2; i < CURRENT; i++)); do
    next="$path_so_far\${path_so_far:+ }\${words[i]}"
    case "$next" in
    ${paths(nodes)}) path_so_far="$next" ;;
    esac
  done
  local offered="" values=""
  case "$path_so_far\${path_so_far:+ }$prev" in
${values}
  esac
  if [[ "$values" == "-" ]]; then
    _files
    return
  fi
  if [[ -z "$values" ]]; then
    case "$path_so_far" in
${words}
    esac
    values="$offered"
  fi
  compadd -- \${=values} || _files
}
compdef _carillon carillon
`;
}
