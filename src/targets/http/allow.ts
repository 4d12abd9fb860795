import { BlockList, isIP } from "node:net";
import { CarillonError } from "../../errors.js";
import { addSubnet, canonicalAddress, specialKind } from "./addresses.js";

/** Ports that no browser calls either: other protocols listen there (WHATWG Fetch, "bad port"). */
const BAD_PORTS = new Set([
  ...[0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101],
  ...[102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389],
  ...[427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636],
  ...[989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665],
  ...[6666, 6667, 6668, 6669, 6679, 6697, 10080],
]);

/**
 * Which addresses HTTP targets may call: the public ones, and what the operator adds to them.
 */
export class AllowList {
  readonly #addresses = new BlockList();
  readonly #hosts = new Set<string>();

  /**
   * @param text `CARILLON_HTTP_ALLOW`: addresses, subnets and host:port, with commas between
   * @throws CarillonError `invalid_config`, with the entry at fault
   */
  constructor(text = "") {
    for (const entry of text.split(",").map((part) => part.trim())) {
      if (entry !== "") this.#add(entry);
    }
  }

  /** Why this address of this host must not be called; undefined when it may. */
  refusal(address: string, host: string, port: number): string | undefined {
    const kind = specialKind(address);
    if (kind === undefined || this.#hosts.has(`${host}:${port}`)) return undefined;
    const canonical = canonicalAddress(address);
    if (canonical === undefined) return kind;
    const family = isIP(canonical) === 6 ? "ipv6" : "ipv4";
    return this.#addresses.check(canonical, family) ? undefined : kind;
  }

  /** Whether this port may be called: other protocols' ports only where host:port is allowed. */
  allowsPort(host: string, port: number): boolean {
    return !BAD_PORTS.has(port) || this.#hosts.has(`${host}:${port}`);
  }

  #add(entry: string): void {
    const [address = "", prefix = isIP(address) === 6 ? "128" : "32", more] = entry.split("/");
    const family = isIP(address);
    if (family !== 0 && more === undefined && isPrefix(prefix, family)) {
      addSubnet(this.#addresses, `${address}/${prefix}`);
      return;
    }
    const host = hostAndPort(entry);
    if (host === undefined) {
      throw new CarillonError(
        "invalid_config",
        `CARILLON_HTTP_ALLOW: "${entry}" is no address, subnet or host:port`,
        { hint: "for example CARILLON_HTTP_ALLOW=10.0.0.0/8,fd00::/8,localhost:3000" },
      );
    }
    this.#hosts.add(host);
  }
}

const isPrefix = (text: string, family: number): boolean =>
  /^\d{1,3}$/.test(text) && Number(text) <= (family === 6 ? 128 : 32);

/** "host:port" as URLs spell the host; undefined for anything else. */
function hostAndPort(entry: string): string | undefined {
  const [, host = "", port = ""] = /^(\[[^\]]+\]|[^:/@?#\\\s]+):(\d{1,5})$/.exec(entry) ?? [];
  const url = URL.canParse(`http://${host}`) ? new URL(`http://${host}`) : undefined;
  if (url === undefined || Number(port) < 1 || Number(port) > 65_535) return undefined;
  return `${bareHost(url.hostname)}:${Number(port)}`;
}

/** A URL's host without the brackets and the dot at its end. */
export const bareHost = (hostname: string): string =>
  hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
