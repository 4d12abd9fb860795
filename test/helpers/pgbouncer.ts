import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chown, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { freePort } from "../../src/dev/engines/ports.js";
import { run } from "../../src/dev/engines/processes.js";
import { cacheFolder } from "../../src/dev/engines/rootfs.js";

const UID = 5499;

/** Debian's pgbouncer in a folder of its own, that appears whole or not at all. */
const BUILD = `
set -eu
root=$1
[ ! -e "$root" ] || exit 0
rm -rf --one-file-system "$root".building
mmdebstrap -q --variant=extract --mode=root --include=pgbouncer,base-files,dash,libc-bin bookworm "$root".building
printf 'root:x:0:0::/root:/bin/sh\\npgbouncer:x:${UID}:${UID}::/:/bin/sh\\n' >"$root".building/etc/passwd
printf 'root:x:0:\\npgbouncer:x:${UID}:\\n' >"$root".building/etc/group
mkdir -p "$root".building/runs
chmod 755 "$root".building "$root".building/runs
mv -T "$root".building "$root"
`;

/** Why this machine cannot run a pgbouncer; undefined when it can. Fetches it the first time. */
export async function whyNoPgbouncer(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "needs root, to run Debian's pgbouncer from its own folder";
  if (existsSync(ROOT)) return undefined;
  await mkdir(cacheFolder(), { recursive: true });
  const lock = join(cacheFolder(), "build.lock");
  const { code, output } = await run(["flock", lock, "sh", "-c", BUILD, "sh", ROOT]);
  return code === 0 ? undefined : `Debian's pgbouncer could not be had: ${output.slice(-200)}`;
}

const ROOT = join(cacheFolder(), "pgbouncer-bookworm-1");

export interface Pgbouncer extends AsyncDisposable {
  /** The database, through the pooler in transaction mode. */
  readonly url: string;
}

/** A pgbouncer in transaction mode before this database, with so many connections to the server. */
export async function startPgbouncer(databaseUrl: string, poolSize: number): Promise<Pgbouncer> {
  const target = new URL(databaseUrl);
  const folder = await mkdtemp(join(ROOT, "runs/"));
  const port = await freePort();
  const inside = folder.slice(ROOT.length);
  await writeFile(join(folder, "users.txt"), `"${target.username}" "${target.password}"\n`);
  await writeFile(
    join(folder, "pgbouncer.ini"),
    `[databases]
* = host=${target.hostname} port=${target.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${inside}/users.txt
pool_mode = transaction
default_pool_size = ${poolSize}
user = pgbouncer
`,
  );
  await chown(folder, UID, UID);
  const argv = [`--userspec=${UID}:${UID}`, ROOT, "/usr/sbin/pgbouncer", `${inside}/pgbouncer.ini`];
  const child = spawn("chroot", argv, { stdio: ["ignore", "ignore", "pipe"] });
  let output = "";
  const exited = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (output.includes("process up")) resolve();
    });
    child.on("error", reject);
    void exited.then(() => reject(new Error(`pgbouncer ended: ${output}`)));
  });
  const url = new URL(databaseUrl);
  url.hostname = "127.0.0.1";
  url.port = String(port);
  return {
    url: url.href,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
