import { CarillonError } from "../errors.js";
import { type RcFile, readRcFiles } from "./rc-file.js";

/** What the command line says of the API. */
export interface ConnectionFlags {
  url?: string | undefined;
  key?: string | undefined;
  app?: string | undefined;
}

/** How commands reach the API. */
export interface Connection {
  url: string;
  key: string | undefined;
  app: string | undefined;
}

/** The address `carillon serve` answers at when it is told nothing. */
const DEFAULT_URL = "http://127.0.0.1:8080";

/**
 * Flags go before the environment, the environment before the .carillonrc of this folder, and that
 * before the one at home; each setting by itself. But a key never goes to an address from the folder
 * one happens to stand in, unless it stands in the same file or on the command line.
 *
 * @throws CarillonError `invalid_config`
 */
export async function resolveConnection(
  flags: ConnectionFlags,
  env: NodeJS.ProcessEnv = process.env,
  warn: (line: string) => void = console.error,
): Promise<Connection> {
  const sources: (ConnectionFlags & Partial<RcFile>)[] = [
    flags,
    {
      ...of(env.CARILLON_URL, "url"),
      ...of(env.CARILLON_KEY, "key"),
      ...of(env.CARILLON_APP, "app"),
    },
    ...(await readRcFiles(env, warn)),
  ];
  const urlFrom = sources.find(({ url }) => url !== undefined);
  const keyFrom = sources.find(({ key }) => key !== undefined);
  const strange = urlFrom?.own === false && keyFrom !== urlFrom && keyFrom !== flags;
  if (strange && keyFrom !== undefined) {
    throw new CarillonError(
      "invalid_config",
      `the key is not sent to ${urlFrom.url ?? ""}, which ${urlFrom.file ?? ""} names`,
      { hint: "give the url by --url or CARILLON_URL, or the key in the same file" },
    );
  }
  return {
    url: urlFrom?.url ?? DEFAULT_URL,
    key: keyFrom?.key,
    app: sources.find(({ app }) => app !== undefined)?.app,
  };
}

/** Whether any setting says where the API is. */
export function namesApi(flags: ConnectionFlags, env: NodeJS.ProcessEnv = process.env): boolean {
  return flags.url !== undefined || Boolean(env.CARILLON_URL);
}

const of = (value: string | undefined, name: keyof ConnectionFlags) =>
  value ? { [name]: value } : {};
