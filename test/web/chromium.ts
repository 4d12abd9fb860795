import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium, type Browser } from "playwright-core";
import { cacheFolder } from "../../src/dev/engines/rootfs.js";

const PLACES = [
  process.env.CARILLON_CHROMIUM ?? "",
  ...["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"],
];

/** Besides Latin: emoji, Arabic and Chinese, which people put into names and payloads. */
const PACKAGES = "chromium fonts-inter fonts-noto-core fonts-noto-color-emoji fonts-droid-fallback";

/** A real browser: CARILLON_CHROMIUM, one that is installed, or Debian's, installed now. */
export async function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: (await found()) ?? (await install()),
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
      ...["--disable-dev-shm-usage", "--font-render-hinting=none"],
    ],
  });
}

const found = () => Promise.resolve(PLACES.find((path) => path !== "" && existsSync(path)));

async function install(): Promise<string> {
  await mkdir(cacheFolder(), { recursive: true });
  // The lock is the kernel's: several test files may want the browser at once.
  const lock = join(cacheFolder(), "chromium.lock");
  const apt = `export DEBIAN_FRONTEND=noninteractive
    command -v chromium >/dev/null && exit 0
    install="apt-get install -y --no-install-recommends ${PACKAGES}"
    $install >/dev/null 2>&1 || { apt-get update && $install; } >&2`;
  const { status, stderr } = spawnSync("flock", [lock, "sh", "-c", apt], { encoding: "utf8" });
  const path = await found();
  if (status === 0 && path !== undefined) return path;
  throw new Error(
    `no Chromium: install one, or name it in CARILLON_CHROMIUM (${stderr.trim().split("\n").at(-1)})`,
  );
}
