import { CarillonError, type FieldError } from "../../errors.js";

/** A Faktory server that jobs may be pushed to. */
export interface FaktoryInstance {
  /** In lower case, with underscores: as {@link instanceName} has it. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly password: string | undefined;
}

const DEFAULT_PORT = 7419;
const VARIABLE = /^CARILLON_FAKTORY_([A-Z0-9_]+)_(URL|PASSWORD)$/;

/** The one spelling of an instance's name: `EU-west` is the environment's `EU_WEST`. */
export const instanceName = (name: string): string => name.toLowerCase().replaceAll("-", "_");

/**
 * The instances an environment names: `CARILLON_FAKTORY_<NAME>_URL`, and where one needs it
 * `CARILLON_FAKTORY_<NAME>_PASSWORD`.
 *
 * @throws CarillonError `invalid_config`, naming every variable at fault
 */
export function readFaktoryInstances(
  env: NodeJS.ProcessEnv = process.env,
): ReadonlyMap<string, FaktoryInstance> {
  const instances = new Map<string, FaktoryInstance>();
  const fields: FieldError[] = [];
  for (const [variable, value = ""] of Object.entries(env)) {
    const [, name, what] = VARIABLE.exec(variable) ?? [];
    if (name === undefined || value === "") continue;
    if (what === "PASSWORD") {
      const url = `CARILLON_FAKTORY_${name}_URL`;
      if ((env[url] ?? "") === "") fields.push({ field: variable, message: `goes with ${url}` });
      continue;
    }
    const password = env[`CARILLON_FAKTORY_${name}_PASSWORD`];
    const parsed = parseUrl(value);
    if (typeof parsed === "string") fields.push({ field: variable, message: parsed });
    else {
      const known = { name: instanceName(name), password: password === "" ? undefined : password };
      instances.set(known.name, Object.freeze({ ...parsed, ...known }));
    }
  }
  if (fields.length === 0) return instances;
  throw new CarillonError(
    "invalid_config",
    fields.map(({ field, message }) => `${field}: ${message}`).join("; "),
    { fields },
  );
}

/** tcp://host:port, tcp+tls://host:port or host:port; what is wrong with it otherwise. */
function parseUrl(text: string): Pick<FaktoryInstance, "host" | "port" | "tls"> | string {
  const url = text.includes("://") ? text : `tcp://${text}`;
  if (!URL.canParse(url)) return "must be tcp://host:port, tcp+tls://host:port or host:port";
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(url);
  if (protocol !== "tcp:" && protocol !== "tcp+tls:") return "must begin with tcp:// or tcp+tls://";
  if (username !== "" || password !== "") {
    return "must not hold a password; set the variable that ends with _PASSWORD";
  }
  if (hostname === "" || port === "0" || !/^\/?$/.test(pathname) || search !== "" || hash !== "") {
    return "must have a host and nothing after the port";
  }
  return {
    host: hostname.replace(/^\[|\]$/g, ""),
    port: port === "" ? DEFAULT_PORT : Number(port),
    tls: protocol === "tcp+tls:",
  };
}
