import { BlockList, isIP, SocketAddress } from "node:net";

/**
 * Addresses that are nobody's public service, from IANA's special-purpose registries (RFC 6890)
 * and the clouds' manuals. IPv6 is public only within 2000::/3, so what lies outside (loopback,
 * unique local, link-local, multicast, IPv4-compatible …) needs no line.
 */
const SPECIAL: readonly (readonly [subnet: string, kind: string])[] = [
  ["0.0.0.0/8", "unspecified"],
  ["10.0.0.0/8", "private"],
  ["100.64.0.0/10", "carrier-grade NAT"],
  ["127.0.0.0/8", "loopback"],
  ["168.63.129.16/32", "metadata"],
  ["169.254.169.254/32", "metadata"],
  ["169.254.0.0/16", "link-local"],
  ["172.16.0.0/12", "private"],
  ["192.0.0.0/24", "reserved"],
  ["192.0.2.0/24", "documentation"],
  ["192.88.99.0/24", "6to4"],
  ["192.168.0.0/16", "private"],
  ["198.18.0.0/15", "benchmarking"],
  ["198.51.100.0/24", "documentation"],
  ["203.0.113.0/24", "documentation"],
  ["224.0.0.0/4", "multicast"],
  ["240.0.0.0/4", "reserved"],
  ["2001::/32", "Teredo"],
  ["2001::/23", "reserved"],
  ["2001:db8::/32", "documentation"],
  ["2002::/16", "6to4"],
  ["3fff::/20", "documentation"],
  ["::1/128", "loopback"],
  ["::/128", "unspecified"],
  ["fc00::/7", "private"],
  ["fe80::/10", "link-local"],
  ["ff00::/8", "multicast"],
];

/** Where DNS64 puts IPv4 addresses (RFC 6052): as public as the address within. */
const NAT64 = "64:ff9b::";

/** Adds "10.0.0.0/8" or the like to a list. */
export function addSubnet(list: BlockList, subnet: string): void {
  const [address = "", prefix = ""] = subnet.split("/");
  list.addSubnet(address, Number(prefix), isIP(address) === 6 ? "ipv6" : "ipv4");
}

const listOf = (...subnets: string[]): BlockList => {
  const list = new BlockList();
  for (const subnet of subnets) addSubnet(list, subnet);
  return list;
};

/** The same subnet within NAT64; an IPv6 one as it is. */
const embedded = (subnet: string): string => {
  const [address = "", prefix = ""] = subnet.split("/");
  return isIP(address) === 6 ? subnet : `${NAT64}${address}/${96 + Number(prefix)}`;
};

const kinds = SPECIAL.map(([subnet, kind]) => [listOf(subnet, embedded(subnet)), kind] as const);
const special = listOf(...SPECIAL.flatMap(([subnet]) => [subnet, embedded(subnet)]));
const global6 = listOf("2000::/3", `${NAT64}/96`);

/**
 * The one spelling of an address: without zone, IPv4-mapped IPv6 as the IPv4 it is.
 * Undefined for what is no address.
 */
export function canonicalAddress(text: string): string | undefined {
  const address = text.split("%", 1)[0] ?? "";
  const family = isIP(address);
  if (family === 0) return undefined;
  if (family === 4) return address;
  const canonical = new SocketAddress({ address, family: "ipv6" }).address;
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(canonical)?.[1] ?? canonical;
}

const within = (list: BlockList, address: string): boolean =>
  list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");

/** What kind of address it is when it is not public; undefined for a public one. */
export function specialKind(text: string): string | undefined {
  const address = canonicalAddress(text);
  if (address === undefined) return "invalid";
  const isSpecial = within(special, address);
  if (!isSpecial && (isIP(address) === 4 || within(global6, address))) return undefined;
  return kinds.find(([list]) => within(list, address))?.[1] ?? "reserved";
}
