import { mkdir, lstat, mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Who runs a server of the host: ourselves, or an account without rights when we are root. */
export async function hostOwner(): Promise<{ uid: number; gid: number; user: string } | null> {
  if (process.getuid?.() !== 0) return null;
  const passwd = await readFile("/etc/passwd", "utf8").catch(() => "");
  // PostgreSQL refuses root, and initdb refuses a user without an account.
  for (const user of ["postgres", "nobody"]) {
    const [, uid, gid] = new RegExp(`^${user}:[^:]*:(\\d+):(\\d+):`, "m").exec(passwd) ?? [];
    if (uid !== undefined) return { uid: Number(uid), gid: Number(gid), user };
  }
  return null;
}

/** The start of a command line that runs a program of the host as its owner. */
export function asOwner(owner: { uid: number; gid: number } | null): string[] {
  if (owner === null) return [];
  return ["setpriv", `--reuid=${owner.uid}`, `--regid=${owner.gid}`, "--clear-groups"];
}

/** The folder for throw-away clusters of the host's servers; other accounts cannot plant it. */
export async function hostScratch(): Promise<string> {
  const uid = process.getuid?.() ?? 0;
  const shared = join(tmpdir(), `carillon-${uid}`);
  await mkdir(shared, { mode: 0o711 }).catch(() => undefined);
  const found = await lstat(shared).catch(() => null);
  if (found?.isDirectory() === true && found.uid === uid && (found.mode & 0o022) === 0) {
    return shared;
  }
  return await mkdtemp(join(tmpdir(), "carillon-"));
}
