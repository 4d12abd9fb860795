import type { Node } from "./tree.js";

const quote = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

/** For fish 3 and later. */
export function fishScript(nodes: readonly Node[]): string {
  const known = nodes.filter(({ path }) => path !== "").map(({ path }) => quote(path));
  const lines = nodes.flatMap(({ path, commands, options, choices }) => {
    const here = `complete -c carillon -n ${quote(`test "$(__carillon_path)" = ${JSON.stringify(path)}`)}`;
    return [
      ...commands.map(({ name, description }) => `${here} -f -a ${name} -d ${quote(description)}`),
      ...choices.map((choice) => `${here} -f -a ${quote(choice)}`),
      ...options.map(({ names, description, takesValue, choices: values }) => {
        const flags = names.map((name) =>
          name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
        );
        const value = takesValue
          ? values.length > 0
            ? ` -x -a ${quote(values.join(" "))}`
            : " -r"
          : "";
        return `${here} ${flags.join(" ")}${value} -d ${quote(description)}`;
      }),
    ];
  });
  return `# fish completion of carillon; made by: carillon completion fish
function __carillon_path
    set -l path ""
    for word in (commandline -opc)[2..]
        set -l next (string trim -- "$path $word")
        if contains -- $next ${known.join(" ")}
            set path $next
        end
    end
    echo -n $path
end
complete -c carillon -e
${lines.join("\n")}
`;
}
