import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
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

const weigh = (files: Iterable<string>) =>
  [...files].reduce((sum, file) => sum + brotliCompressSync(readFileSync(built + file)).length, 0);

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
