import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";

/*
 * pgmq is SQL only, but no distribution packages it. The npm package @electric-sql/pglite-pgmq
 * carries its extension files, unchanged, in a tarball; development and tests take them from there.
 */

const PACKAGE = "@electric-sql/pglite-pgmq";

/** Where the tarball with pgmq's extension files lies. Throws when the npm package is absent. */
export function pgmqTarball(): string {
  const require = createRequire(import.meta.url);
  let entry: string;
  try {
    entry = require.resolve(PACKAGE);
  } catch (cause) {
    throw new Error(`pgmq's files are not installed; run: npm install --save-dev ${PACKAGE}`, {
      cause,
    });
  }
  return join(dirname(entry), "pgmq.tar.gz");
}

/** pgmq's extension files (`pgmq.control`, `pgmq--1.11.1.sql`, …) by name. */
export async function pgmqFiles(): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const entry of tarEntries(await promisify(gunzip)(await readFile(pgmqTarball())))) {
    const name = /(?:^|\/)extension\/(pgmq[^/]*\.(?:control|sql))$/.exec(entry.name)?.[1];
    if (name !== undefined) files.set(name, entry.content);
  }
  return files;
}

/** The version of pgmq that {@link pgmqFiles} installs, as its control file states it. */
export async function pgmqVersion(): Promise<string> {
  return defaultVersion(await pgmqFiles());
}

/**
 * pgmq's install script as plain SQL, for a server whose extension folder cannot be written to.
 * It makes the schema `pgmq` and all of its objects; send it as one simple query, and only where
 * the schema is absent: a second run fails on the types it finds.
 */
export async function pgmqSql(): Promise<string> {
  const files = await pgmqFiles();
  const name = `pgmq--${defaultVersion(files)}.sql`;
  const script = files.get(name);
  if (script === undefined) throw new Error(`${PACKAGE} holds no ${name}`);
  return script.toString("utf8");
}

function defaultVersion(files: Map<string, Buffer>): string {
  const control = files.get("pgmq.control")?.toString("utf8") ?? "";
  const version = /^default_version\s*=\s*'([^']+)'/m.exec(control)?.[1];
  if (version === undefined) throw new Error(`${PACKAGE} holds no usable pgmq.control`);
  return version;
}

/** Regular files of a ustar archive: 512-byte headers, contents padded to 512 bytes. */
function* tarEntries(tar: Buffer): Generator<{ name: string; content: Buffer }> {
  const text = (from: number, length: number) =>
    tar.toString("utf8", from, from + length).replace(/\0.*$/s, "");
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0;) {
    const size = parseInt(text(at + 124, 12), 8) || 0;
    const type = text(at + 156, 1);
    const prefix = text(at + 345, 155);
    const name = (prefix === "" ? "" : `${prefix}/`) + text(at, 100);
    if (type === "" || type === "0") {
      yield { name, content: tar.subarray(at + 512, at + 512 + size) };
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
}
