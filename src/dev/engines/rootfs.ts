import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

import { pgmqTarball } from "../pgmq.js";
import { lastLine, run } from "./processes.js";
import { EngineError, type Installation } from "./types.js";

/** What `pg17` and `pg15` fetch: a Debian suite that packages this server with pg_cron. */
const RELEASES = {
  // Since trixie, Debian keeps names such as US/Eastern in a package apart.
  pg17: { suite: "trixie", major: 17, zones: "tzdata,tzdata-legacy" },
  pg15: { suite: "bookworm", major: 15, zones: "tzdata" },
} as const;

/** The server's user: a number that no account of the machine has. */
const UID = 5499;

/** Where a data folder from outside appears inside, in a mount namespace of the server's own. */
const MOUNT_POINT = "/mnt";

/**
 * Makes the folder $1 from suite $2 with the server $3, pgmq's tarball $4 and the packages $5. Runs under a lock;
 * the folder appears by one rename, so it is whole or absent.
 */
const BUILD = `
set -eu
root=$1 suite=$2 major=$3 pgmq=$4 zones=$5
[ ! -e "$root" ] || exit 0
rm -rf --one-file-system "$root".building
if ! command -v mmdebstrap >/dev/null || [ ! -e /usr/share/keyrings/debian-archive-keyring.gpg ]; then
  export DEBIAN_FRONTEND=noninteractive
  install="apt-get install -y --no-install-recommends mmdebstrap debian-archive-keyring"
  $install >/dev/null 2>&1 || { apt-get update && $install; } >&2
fi
mmdebstrap -q --variant=extract --mode=root \\
  --include="postgresql-$major,postgresql-$major-cron,base-files,dash,libc-bin,$zones" \\
  "$suite" "$root".building
rm -f "$root".building/usr/lib/*/libLLVM*
# Among the zones is a link to it, and pg_timezone_names fails where that leads nowhere.
ln -sf /usr/share/zoneinfo/UTC "$root".building/etc/localtime
printf 'root:x:0:0::/root:/bin/sh\\npostgres:x:${UID}:${UID}::/:/bin/sh\\n' >"$root".building/etc/passwd
printf 'root:x:0:\\npostgres:x:${UID}:\\n' >"$root".building/etc/group
tar -xzf "$pgmq" --strip-components=3 --no-same-owner -C "$root.building/usr/share/postgresql/$major/extension"
mkdir -p "$root".building/clusters "$root".building${MOUNT_POINT}
chmod 755 "$root".building "$root".building/clusters
mv -T "$root".building "$root"
`;

/**
 * PostgreSQL and pg_cron from Debian, unpacked into a folder of their own and run by chroot.
 * Needs root on Debian or Ubuntu. Takes about 10 s and 300 MB once, then nothing.
 */
export async function debianInstallation(
  name: "pg17" | "pg15",
  log: (line: string) => void,
): Promise<Installation> {
  const { suite, major } = RELEASES[name];
  await requireDebianRoot();
  const pgmq = pgmqTarball();
  const root = join(cacheFolder(), await rootName(name, pgmq));
  if (!existsSync(root)) await build(root, RELEASES[name], pgmq, log);
  const pgCron = await pgCronVersion(join(root, `usr/share/postgresql/${major}/extension`));
  if (pgCron === null) throw new EngineError(`${root} holds no pg_cron; remove it and try again`);
  return {
    name,
    description: `PostgreSQL ${major} with pg_cron ${pgCron} from Debian ${suite}`,
    why: `root on Debian or Ubuntu, so the distribution's packages run from ${root}`,
    major,
    pgCron,
    scratch: join(root, "clusters"),
    owner: { uid: UID, gid: UID },
    pgmq: "files",
    // The chroot has no /dev/shm and no /proc mounted, and needs neither.
    settings: { dynamic_shared_memory_type: "mmap" },
    command: (program, dataDir) => commandIn(root, major, program, dataDir),
  };
}

function commandIn(root: string, major: number, program: string, dataDir: string) {
  const inside = `/usr/lib/postgresql/${major}/bin/${program}`;
  const chroot = ["chroot", `--userspec=${UID}:${UID}`, root, inside];
  if (dataDir.startsWith(`${root}/`)) return { argv: chroot, dataDir: dataDir.slice(root.length) };
  // The mount vanishes with the last process of its namespace: nothing to undo, whoever dies.
  const bind = 'mount --bind "$1" "$2" && shift 2 && exec "$@"';
  return {
    argv: ["unshare", "--mount", "sh", "-c", bind, "sh", dataDir, root + MOUNT_POINT, ...chroot],
    dataDir: MOUNT_POINT,
  };
}

async function requireDebianRoot(): Promise<void> {
  if (process.getuid?.() !== 0) throw new EngineError("needs root");
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  if (!/^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release)) {
    throw new EngineError("needs Debian or Ubuntu");
  }
}

/** `$XDG_CACHE_HOME/carillon`, or `~/.cache/carillon`. */
export function cacheFolder(): string {
  const xdg = process.env.XDG_CACHE_HOME ?? "";
  return join(xdg.startsWith("/") ? xdg : join(homedir(), ".cache"), "carillon");
}

/** Another recipe or another pgmq makes another folder; a folder is never changed once made. */
async function rootName(name: string, pgmq: string): Promise<string> {
  const hash = createHash("sha256")
    .update(BUILD + JSON.stringify(RELEASES))
    .update(await readFile(pgmq));
  return `${name}-${hash.digest("hex").slice(0, 10)}`;
}

async function build(
  root: string,
  { suite, major, zones }: (typeof RELEASES)[keyof typeof RELEASES],
  pgmq: string,
  log: (line: string) => void,
): Promise<void> {
  log(`unpacking PostgreSQL ${major} with pg_cron from Debian ${suite} into ${root} (once, ~10 s)`);
  await mkdir(cacheFolder(), { recursive: true });
  // flock is the kernel's: a killed build frees it, whatever it left behind.
  const lock = join(cacheFolder(), "build.lock");
  const script = ["sh", "-c", BUILD, "sh", root, suite, String(major), pgmq, zones];
  const { code, output } = await run(["flock", lock, ...script]);
  if (code !== 0) throw new EngineError(`Debian's packages could not be had: ${lastLine(output)}`);
}

/** The version `create extension pg_cron` would install from this folder, or null. */
export async function pgCronVersion(extensionFolder: string): Promise<string | null> {
  const control = await readFile(join(extensionFolder, "pg_cron.control"), "utf8").catch(() => "");
  return /^default_version\s*=\s*'([^']+)'/m.exec(control)?.[1] ?? null;
}
