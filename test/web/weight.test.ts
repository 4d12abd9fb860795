import { existsSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const built = fileURLToPath(new URL("../../dist/web/", import.meta.url));

interface Chunk {
  file: string;
  css?: string[];
  imports?: string[];
  isEntry?: boolean;
}

const manifest = JSON.parse(readFileSync(`${built}.vite/manifest.json`, "utf8")) as Record<
  string,
  Chunk
>;

/** All that a chunk needs before it runs. */
function closure(name: string, seen = new Set<string>()): Set<string> {
  const chunk = manifest[name];
  if (chunk === undefined) throw new Error(`no chunk ${name}`);
  for (const file of [chunk.file, ...(chunk.css ?? [])]) seen.add(file);
  for (const other of chunk.imports ?? []) closure(other, seen);
  return seen;
}

/** As it goes out: compressed by the build, where that is worth it. */
const sizeOf = (file: string) => {
  const path = built + file;
  return statSync(existsSync(`${path}.br`) ? `${path}.br` : path).size;
};
const weigh = (files: Iterable<string>) => [...files].reduce((sum, file) => sum + sizeOf(file), 0);

test("the first page weighs less than 250 kB on the wire, whichever it is", () => {
  const entry = Object.keys(manifest).find((name) => manifest[name]?.isEntry === true) ?? "";
  const shell = closure(entry);
  const screens = Object.keys(manifest).filter((name) => /^src\/screens\/\w+\/[A-Z]/.test(name));
  expect(screens.length).toBeGreaterThan(3);
  for (const screen of screens) {
    const bytes = weigh(new Set([...shell, ...closure(screen)]));
    console.log(`${screen}: ${Math.round(bytes / 1000)} kB`);
    expect(bytes, screen).toBeLessThan(250_000);
  }
});
