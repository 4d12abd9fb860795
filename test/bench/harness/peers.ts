import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const FOLDER = new URL("../peers/", import.meta.url);
const STAMP = new URL("node_modules/.installed", FOLDER);

/** The newer Node that the peers need; it comes from npm with them. */
export const peerNode = fileURLToPath(new URL("node_modules/node/bin/node", FOLDER));

/** Installs the peers in their own folder as their lock file says, unless they are there. */
export async function installPeers(say: (line: string) => void): Promise<void> {
  const lock = await readFile(new URL("package-lock.json", FOLDER), "utf8");
  if (existsSync(STAMP) && (await readFile(STAMP, "utf8")) === lock) return;
  say("installing the peers (once): npm ci in test/bench/peers");
  const npm = spawn("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: fileURLToPath(FOLDER),
    stdio: ["ignore", "inherit", "inherit"],
  });
  const [code] = (await once(npm, "exit")) as [number | null];
  if (code !== 0) throw new Error(`npm ci in test/bench/peers ended with ${code ?? "a signal"}`);
  await writeFile(STAMP, lock);
}

/** `name version` of an installed peer. */
export async function peerVersion(name: string): Promise<string> {
  const file = new URL(`node_modules/${name}/package.json`, FOLDER);
  const { version } = JSON.parse(await readFile(file, "utf8")) as { version: string };
  return `${name} ${version}`;
}
