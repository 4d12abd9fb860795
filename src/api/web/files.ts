import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** A file of the built page, in memory with its compressed forms. */
export interface PageFile {
  readonly type: string;
  /** Named by its content, so that it never changes. */
  readonly immutable: boolean;
  readonly plain: Buffer;
  readonly encoded: Partial<Record<"br" | "gzip", Buffer>>;
}

/** The built page: its document, and every other file by its path. */
export interface BuiltPage {
  readonly index: string;
  readonly files: ReadonlyMap<string, PageFile>;
}

const TYPES: Record<string, string> = {
  ".css": "text/css; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/** Where the build puts the page: beside the compiled server, which may be read from its sources. */
export function pageFolder(): string | undefined {
  const places = ["../../web/", "../../../dist/web/"].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  return places.find((folder) => existsSync(join(folder, "index.html")));
}

/** Reads the whole page; whatever is asked for later, no path reaches the disk. */
export function readPage(folder: string): BuiltPage {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const files = new Map<string, PageFile>();
  for (const name of names) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const path = `/${relative(folder, name).split(sep).join("/")}`;
    files.set(path, {
      type,
      immutable: path.startsWith("/assets/"),
      plain: readFileSync(name),
      encoded: {
        ...(existsSync(`${name}.br`) ? { br: readFileSync(`${name}.br`) } : {}),
        ...(existsSync(`${name}.gz`) ? { gzip: readFileSync(`${name}.gz`) } : {}),
      },
    });
  }
  return { index: readFileSync(join(folder, "index.html"), "utf8"), files };
}
