import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { build } from "vite";

/*
 * Builds the dashboard into dist/web, compressed besides, and checks its types meanwhile. Where
 * nothing has changed that it is made of, it says nothing and takes no time.
 */

const root = fileURLToPath(new URL("../../", import.meta.url));
const out = join(root, "dist/web");
const stampFile = join(out, "stamp.json");
/** What the page is made of; its types, the API's shapes, are checked by `npm run types` besides. */
const INPUTS = ["web", "src/client", "src/targets/http/verify.ts", "src/dev/build-web.ts"];

const stamp = stampOf(INPUTS);
if (!existsSync(stampFile) || readFileSync(stampFile, "utf8") !== stamp) {
  await Promise.all([bundle(), checkTypes()]);
  await compress();
  writeFileSync(stampFile, stamp);
}

function stampOf(inputs: readonly string[]): string {
  const hash = createHash("sha256").update(readFileSync(join(root, "package-lock.json")));
  for (const name of inputs.flatMap(filesIn)) {
    hash.update(`${name}\0`).update(readFileSync(join(root, name)));
  }
  return JSON.stringify(hash.digest("hex"));
}

function filesIn(name: string): string[] {
  if (/\.\w+$/.test(name)) return [name];
  return readdirSync(join(root, name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .sort();
}

async function bundle(): Promise<void> {
  await build({ configFile: join(root, "web/vite.config.ts"), logLevel: "warn" });
}

/** In a process of its own: it takes as long as the bundle. */
function checkTypes(): Promise<void> {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const info = join(root, "dist/web.tsbuildinfo");
  const args = [tsc, "-p", join(root, "web"), "--incremental", "--tsBuildInfoFile", info];
  return new Promise((resolve, reject) => {
    spawn(process.execPath, args, { stdio: "inherit" }).once("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error("the dashboard's types are wrong"));
    });
  });
}

/** As small as it gets, once, here: the server only picks. */
async function compress(): Promise<void> {
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  const names = filesIn("dist/web").filter((name) => /\.(js|css|svg)$/.test(name));
  await Promise.all(
    names.map(async (name) => {
      const path = join(root, name);
      const plain = readFileSync(path);
      if (plain.length < 1000) return;
      writeFileSync(`${path}.br`, await promisify(brotliCompress)(plain, { params }));
      writeFileSync(`${path}.gz`, await promisify(gzip)(plain, { level: 9 }));
    }),
  );
}
