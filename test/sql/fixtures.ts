import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const SQL = fileURLToPath(new URL("../../sql", import.meta.url));
export const FIXTURES = `${SQL}/fixtures`;
export const README = `${SQL}/README.md`;
export const SCHEMA = `${SQL}/schema.txt`;

/** A file that defines one object of Carillon. */
export interface Fixture {
  /** Such as `crons/create_cron.sql`. */
  path: string;
  room: string;
  /** Such as `create_cron`. */
  name: string;
  text: string;
}

export const read = (path: string) => readFileSync(`${FIXTURES}/${path}`, "utf8");

/** The SQL of a fixture without its remarks. */
export const code = ({ text }: Fixture) => text.replace(/--.*$/gm, "");

/** Without the text of its `comment on`, too. */
export const uncommented = (fixture: Fixture) =>
  code(fixture).replace(/comment on [^']* is\s+'(?:[^']|'')*';/g, "");

/** Everything in a room; the files beside the rooms only include. */
export function fixtures(): Fixture[] {
  const rooms = readdirSync(FIXTURES, { withFileTypes: true }).filter((it) => it.isDirectory());
  return rooms.flatMap(({ name: room }) =>
    readdirSync(`${FIXTURES}/${room}`)
      .filter((file) => file.endsWith(".sql"))
      .map((file) => ({
        path: `${room}/${file}`,
        room,
        name: file.slice(0, -".sql".length),
        text: read(`${room}/${file}`),
      })),
  );
}

/** The files a fixture includes in the end, in order. */
export function included(path: string): string[] {
  const lines = read(path).matchAll(/^--!include (\S+)$/gm);
  const inner = [...lines].flatMap(([, file]) => included(file ?? ""));
  return inner.length > 0 ? inner : [path];
}
