import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { specialKind } from "../../../src/targets/http/addresses.js";
import { AllowList } from "../../../src/targets/http/allow.js";
import { HttpSpec } from "../../../src/targets/http/schema.js";
import { HttpTarget } from "../../../src/targets/http/target.js";
import type { Outcome } from "../../../src/targets/types.js";
import { context, job } from "../support.js";
import { NameServer } from "./dns.js";
import { Endpoint } from "./endpoint.js";

const v6 = Object.values(networkInterfaces())
  .flat()
  .some((at) => at?.address === "::1");

/** The servers behind the fence, on one port of both loopbacks, that nobody may reach. */
let inside: Endpoint;
let inside6: Endpoint | undefined;
/** A server at an address that is allowed. */
let outside: Endpoint;
let names: NameServer;
let strict: HttpTarget;
let target: HttpTarget;

beforeAll(async () => {
  inside = await Endpoint.start();
  const { port } = inside;
  if (v6) inside6 = await Endpoint.start(undefined, { host: "::1", port });
  outside = await Endpoint.start(
    (request, response) => {
      const { searchParams } = new URL(request.url ?? "", "http://outside");
      const to = searchParams.get("to");
      if (to === null) return response.end("outside");
      return response.writeHead(Number(searchParams.get("by")), { Location: to }).end();
    },
    { host: "127.0.0.2", port },
  );
  names = await NameServer.start();
  const { resolve } = names;
  strict = new HttpTarget({ allow: new AllowList(), version: "0" });
  target = new HttpTarget({ allow: new AllowList("127.0.0.2"), version: "0", resolve });
});
afterAll(async () => {
  for (const each of [strict, target, inside, inside6, outside, names]) {
    await each?.[Symbol.asyncDispose]();
  }
});

const call = (which: HttpTarget, url: string, more: Partial<HttpSpec> = {}): Promise<Outcome> =>
  which.run({ type: "http", url, timeout: 5, ...more }, job(), context());

/** Whatever the servers inside have seen, connections included. */
const seen = () => inside.connections + (inside6?.connections ?? 0);

/** Expects a refusal, for good, of which nothing inside notices anything. */
async function expectRefused(outcome: Promise<Outcome>): Promise<void> {
  expect(await outcome).toMatchObject({
    status: "failed",
    error: { class: "refused_address" },
    retryable: false,
  });
  expect(seen()).toBe(0);
}

const SPELLINGS = [
  // IPv4 loopback
  ..."127.0.0.1 127.0.0.1. 127.1 127.0.1 127.00.0.1 0x7f.0.0.1 0x7f.1 0x7f000001".split(" "),
  ..."2130706433 017700000001 0177.0.0.1 0177.1 0x7F.0x0.0x0.0x1 127.0.0.01 127.255.255.254".split(
    " ",
  ),
  ..."00000000000000000177.0.0.1 127.0x0.1 0x7f.00.0x1".split(" "),
  ..."127%2e0%2e0%2e1 %31%32%37.0.0.1 127。0。0。1 １２７.0.0.1 ①②⑦.⓪.⓪.①".split(" "),
  // this host
  ..."0.0.0.0 0 0x0 00 0.0 localhost LOCALHOST localhost. loc%61lhost ｌｏｃａｌｈｏｓｔ".split(
    " ",
  ),
  // IPv6 loopback and unspecified
  ..."[::1] [0:0:0:0:0:0:0:1] [::0001] [0000:0000:0000:0000:0000:0000:0000:0001] [::] [::0]".split(
    " ",
  ),
  ..."[::0.0.0.1]".split(" "),
  // IPv4 within IPv6: mapped, compatible, translated, NAT64, 6to4, Teredo
  ..."[::ffff:127.0.0.1] [::ffff:7f00:1] [::FFFF:7F00:0001] [0:0:0:0:0:ffff:127.0.0.1]".split(" "),
  ..."[::127.0.0.1] [::7f00:1] [::ffff:0:127.0.0.1] [::ffff:0.0.0.0] [64:ff9b::127.0.0.1]".split(
    " ",
  ),
  ..."[64:ff9b::7f00:1] [64:ff9b::10.0.0.1] [64:ff9b:1::7f00:1] [2002:7f00:1::] [2002:a00:1::1]".split(
    " ",
  ),
  ..."[2001:0:7f00:1::80ff:fffe] [2001::1] [::ffff:169.254.169.254] [::ffff:10.0.0.1]".split(" "),
  // private, carrier-grade NAT, link-local, metadata
  ..."10.0.0.1 10.1 172.16.0.1 172.31.255.255 192.168.1.1 3232235777 0xc0a80101 100.64.0.1".split(
    " ",
  ),
  ..."169.254.0.1 169.254.169.254 2852039166 0xa9fea9fe 0251.0376.0251.0376 100.100.100.200".split(
    " ",
  ),
  ..."168.63.129.16 192.0.0.192 [fd00:ec2::254] [fd20:ce::254] [fc00::1] [fe80::1] [febf::1]".split(
    " ",
  ),
  ..."[fec0::1]".split(" "),
  // multicast, reserved, documentation, benchmarking
  ..."224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 192.0.2.1 198.51.100.1".split(" "),
  ..."203.0.113.1 198.18.0.1 198.19.255.255 192.88.99.1 [ff02::1] [ff0e::1] [2001:db8::1]".split(
    " ",
  ),
  ..."[3fff::1] [2001:2::1] [100::1] [5f00::1] [4000::1]".split(" "),
];

describe("spellings of addresses that are not public", () => {
  test("there are enough of them", () => {
    expect(new Set(SPELLINGS).size).toBe(SPELLINGS.length);
    expect(SPELLINGS.length).toBeGreaterThan(90);
  });

  test.for(SPELLINGS)("http://%s", async (host) => {
    const url = `http://${host}:${inside.port}/`;
    expect(HttpSpec.safeParse({ type: "http", url }).error).toBeUndefined();
    await expectRefused(call(strict, url));
    await expectRefused(call(strict, url.replace("http:", "https:")));
  });

  test.for([
    ["backslashes", String.raw`http:\\127.0.0.1:PORT\x`],
    ["no slashes", "http:127.0.0.1:PORT"],
    ["many slashes", "http:////127.0.0.1:PORT/"],
    ["blanks around", "  http://127.0.0.1:PORT/ "],
    ["line breaks within", "ht\ntp://127.0.\t0.1:PORT/"],
    ["an @ in the path", "http://127.0.0.1:PORT/@example.com/"],
    ["an @ after a #", "http://127.0.0.1:PORT#@example.com/"],
    ["a backslash before the @", String.raw`http://127.0.0.1:PORT\@example.com/`],
    ["a port with zeros", "http://127.0.0.1:0000PORT/"],
    ["upper case", "HTTP://LOCALHOST:PORT/"],
    ["a soft hyphen", "http://local\u00adhost:PORT/"],
  ])("a URL with %s", async ([, url]) => {
    await expectRefused(call(strict, (url ?? "").replace("PORT", String(inside.port))));
  });

  test.for([
    "http://user@127.0.0.1/",
    "http://user:pass@example.com/",
    "http://example.com@127.0.0.1/",
    "http://@@127.0.0.1/",
    "ftp://127.0.0.1/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_INFO",
    "unix:/var/run/docker.sock",
    "http://",
    "http://127.0.0.1:0/",
    "http://127.0.0.1:65536/",
    "http://1.2.3.4.5/",
    "http://0x100000000/",
    "http://256.1.1.1/",
    "http://[::1%25lo]/",
    "http://[::1/",
    "//127.0.0.1/",
    "127.0.0.1",
    "data:text/plain,x",
  ])("the edges do not take %s", (url) => {
    expect(HttpSpec.safeParse({ type: "http", url }).success).toBe(false);
  });

  test.for([22, 25, 53, 143, 465, 587, 6000, 6667])(
    "port %i is for another protocol",
    async (port) => {
      await expectRefused(call(target, `http://127.0.0.2:${port}/`));
    },
  );
});

describe("names", () => {
  const url = (name: string) => `http://${name}:${outside.port}/`;

  test("that resolve to what is allowed are called", async () => {
    names.set("fine.example", ["127.0.0.2"]);
    const outcome = await call(target, url("fine.example"));
    expect(outcome).toMatchObject({ status: "completed", result: { body: "outside" } });
    expect(outcome.result).toMatchObject({ timing: { dns: expect.any(Number) as number } });
  });

  test.for([
    "127.0.0.1",
    "0.0.0.0",
    "10.0.0.1",
    "169.254.169.254",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1",
    "fd00:ec2::254",
    "fe80::1",
    "2002:7f00:1::",
  ])("that resolve to %s are refused", async (address) => {
    const name = `n${address.replace(/[^0-9a-f]/g, "-")}.example`;
    names.set(name, [address]);
    await expectRefused(call(target, url(name)));
  });

  test("that resolve to both are called where it is allowed, and only there", async () => {
    names.set("both.example", ["127.0.0.1", "::1", "127.0.0.2"]);
    for (let i = 0; i < 3; i++) {
      expect(await call(target, url("both.example"))).toMatchObject({ status: "completed" });
    }
    expect(seen()).toBe(0);
  });

  test("that change their mind are asked once for each connection, and checked each time", async () => {
    names.set("rebind.example", ["127.0.0.2"], ["127.0.0.1"]);
    const before = names.asked.length;
    expect(await call(target, url("rebind.example"))).toMatchObject({ status: "completed" });
    expect(names.asked.length - before).toBe(1);
    // A target of its own has no connection to reuse, so it has to ask again.
    await using other = new HttpTarget({
      ...{ allow: new AllowList("127.0.0.2"), version: "0", resolve: names.resolve },
    });
    await expectRefused(call(other, url("rebind.example")));
    expect(names.asked.length - before).toBe(2);
  });

  test("that do not exist, or whose server is silent, fail as such and may be tried again", async () => {
    expect(await call(target, url("nobody.example"))).toMatchObject({
      error: { class: "dns", message: "the host's name could not be resolved (ENOTFOUND)" },
      retryable: true,
    });
    const mute = await NameServer.start();
    const { resolve } = mute;
    await mute[Symbol.asyncDispose]();
    await using lost = new HttpTarget({ allow: new AllowList(), version: "0", resolve });
    const outcome = await call(lost, url("any.example"), { timeout: 3 });
    expect(outcome).toMatchObject({ status: "failed", error: { class: "dns" }, retryable: true });
  });
});

describe("redirects", () => {
  const PLACES = [
    "http://127.0.0.1:PORT/",
    "//127.0.0.1:PORT/",
    "http://2130706433:PORT/",
    "http://0x7f.1:PORT/",
    "http://[::1]:PORT/",
    "http://[::ffff:7f00:1]:PORT/",
    "http://inner.example:PORT/",
    "http://169.254.169.254/latest/meta-data/",
    String.raw`\\127.0.0.1:PORT\x`,
  ];
  const cases = [301, 302, 303, 307, 308].flatMap((status) =>
    PLACES.map((place) => [status, place] as const),
  );
  test.for(cases)("by %i to %s", async ([status, place]) => {
    names.set("inner.example", ["127.0.0.1"]);
    const to = encodeURIComponent(place.replace("PORT", String(inside.port)));
    const url = `http://127.0.0.2:${outside.port}/?by=${status}&to=${to}`;
    await expectRefused(call(target, url, { redirects: 5 }));
  });

  test("to a port of another protocol", async () => {
    const to = encodeURIComponent("http://127.0.0.2:6667/");
    const url = `http://127.0.0.2:${outside.port}/?by=307&to=${to}`;
    await expectRefused(call(target, url, { redirects: 1 }));
  });
});

test("a proxy in the environment is not asked", async () => {
  const before = { ...process.env };
  Object.assign(process.env, {
    HTTP_PROXY: inside.url,
    http_proxy: inside.url,
    ALL_PROXY: inside.url,
  });
  try {
    await using own = new HttpTarget({ allow: new AllowList("127.0.0.2"), version: "0" });
    const outcome = await call(own, `http://127.0.0.2:${outside.port}/`);
    expect(outcome.status).toBe("completed");
    expect(seen()).toBe(0);
  } finally {
    process.env = before;
  }
});

describe("what is public, and what is not", () => {
  test.for([
    ..."1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255".split(
      " ",
    ),
    ..."128.0.0.0 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0".split(" "),
    ..."192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255".split(" "),
    ..."2606:4700:4700::1111 2001:4860:4860::8888 2a00::1 2001:200::1 64:ff9b::808:808".split(" "),
    ..."::ffff:8.8.8.8".split(" "),
  ])("%s is", (address) => {
    expect(specialKind(address)).toBeUndefined();
  });

  test.for([
    ["10.1.2.3", "private"],
    ["::ffff:10.1.2.3", "private"],
    ["64:ff9b::a01:203", "private"],
    ["169.254.169.254", "metadata"],
    ["127.0.0.1", "loopback"],
    ["::1", "loopback"],
    ["fe80::1%eth0", "link-local"],
    ["fd00::1", "private"],
    ["100.64.0.1", "carrier-grade NAT"],
    ["2001::1", "Teredo"],
    ["2002::1", "6to4"],
    ["ff02::1", "multicast"],
    ["nonsense", "invalid"],
    ["", "invalid"],
  ])("%s is %s", ([address, kind]) => {
    expect(specialKind(address ?? "")).toBe(kind);
  });
});

describe("CARILLON_HTTP_ALLOW", () => {
  const refusal = (text: string, address: string, host = address, port = 80) =>
    new AllowList(text).refusal(address, host, port);

  test("names addresses and subnets, of either family", () => {
    const text = "10.0.0.0/8, 192.168.1.7 ,fd00::/8,::1,, 172.16.5.4/12";
    for (const address of ["10.9.9.9", "::ffff:10.9.9.9", "192.168.1.7", "fd12::1", "::1"]) {
      expect(refusal(text, address), address).toBeUndefined();
    }
    expect(refusal(text, "172.31.0.1")).toBeUndefined();
    expect(refusal(text, "192.168.1.8")).toBe("private");
    expect(refusal(text, "127.0.0.1")).toBe("loopback");
    expect(refusal(text, "fe80::1")).toBe("link-local");
  });

  test("names hosts with a port: whatever they resolve to, on that port alone", () => {
    const text = "LocalHost:3000,[::1]:8080,0x7f.1:9,smtp.internal:25";
    expect(refusal(text, "127.0.0.1", "localhost", 3000)).toBeUndefined();
    expect(refusal(text, "127.0.0.1", "localhost", 3001)).toBe("loopback");
    expect(refusal(text, "127.0.0.1", "127.0.0.1", 3000)).toBe("loopback");
    expect(refusal(text, "::1", "::1", 8080)).toBeUndefined();
    expect(refusal(text, "127.0.0.1", "127.0.0.1", 9)).toBeUndefined();
    expect(new AllowList(text).allowsPort("smtp.internal", 25)).toBe(true);
    expect(new AllowList(text).allowsPort("smtp.internal", 465)).toBe(false);
  });

  test("is respected by calls, in every spelling of the host", async () => {
    await using open = await Endpoint.start();
    const allow = new AllowList(`localhost:${open.port},127.0.0.1`);
    await using friendly = new HttpTarget({ allow, version: "0" });
    for (const host of ["localhost", "LOCALHOST.", "127.0.0.1", "2130706433", "[::ffff:7f00:1]"]) {
      const outcome = await call(friendly, `http://${host}:${open.port}/`);
      expect(outcome, host).toMatchObject({ status: "completed" });
    }
  });

  test.for(["10.0.0.0/33", "::/129", "10.0.0.0/8/8", "localhost", "host:0", "host:70000", "a b:1"])(
    "does not take %s",
    (entry) => {
      expect(() => new AllowList(`10.0.0.1,${entry}`)).toThrow(
        expect.objectContaining({
          code: "invalid_config",
          message: expect.stringContaining(entry) as string,
        }),
      );
    },
  );
});
