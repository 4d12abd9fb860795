import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import ts from "typescript";

/*
 * Lets node run the benchmarks as they stand: their types come from src/, their code from dist/, so
 * that what is measured is what is shipped. Only types are erased; nothing is checked here.
 */

const ROOT = new URL("../../../", import.meta.url);
const SRC = new URL("src/", ROOT).href;
const DIST = new URL("dist/", ROOT).href;

export async function resolve(specifier, context, next) {
  if (specifier.startsWith(".") && specifier.endsWith(".js") && context.parentURL) {
    const url = new URL(specifier, context.parentURL).href;
    if (url.startsWith(SRC)) return next(DIST + url.slice(SRC.length), context);
    const source = url.replace(/\.js$/, ".ts");
    if (existsSync(fileURLToPath(source))) return next(source, context);
  }
  return next(specifier, context);
}

export async function load(url, context, next) {
  if (!url.endsWith(".ts") || url.includes("/node_modules/")) return next(url, context);
  const { outputText } = ts.transpileModule(await readFile(new URL(url), "utf8"), {
    fileName: fileURLToPath(url),
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2022,
      verbatimModuleSyntax: true,
      inlineSourceMap: true,
    },
  });
  return { format: "module", source: outputText, shortCircuit: true };
}
