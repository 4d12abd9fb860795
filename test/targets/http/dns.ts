import { createSocket, type RemoteInfo } from "node:dgram";
import { Resolver } from "node:dns";
import { once } from "node:events";
import { isIPv6, SocketAddress } from "node:net";
import type { Resolve } from "../../../src/targets/http/connector.js";

/**
 * A real DNS server on a port of its own, and a resolver that asks it. Each name has a list of
 * answers, given one after the other, the last for ever: a name may change its mind.
 */
export class NameServer implements AsyncDisposable {
  readonly #socket = createSocket("udp4");
  readonly #names = new Map<string, string[][]>();
  readonly #resolver = new Resolver({ timeout: 1000, tries: 1 });
  /** Names that were asked for an IPv4 address, in order. */
  readonly asked: string[] = [];

  static async start(): Promise<NameServer> {
    const server = new NameServer();
    server.#socket.on("message", (query, from) => server.#answer(query, from));
    server.#socket.bind(0, "127.0.0.1");
    await once(server.#socket, "listening");
    server.#resolver.setServers([`127.0.0.1:${server.#socket.address().port}`]);
    return server;
  }

  /** What a name is answered: the first time, the second … */
  set(name: string, ...answers: string[][]): void {
    this.#names.set(name, answers);
  }

  readonly resolve: Resolve = (hostname, _options, callback) => {
    this.#resolver.resolve4(hostname, (error4, v4 = []) => {
      this.#resolver.resolve6(hostname, (error6, v6 = []) => {
        const found = [
          ...v4.map((address) => ({ address, family: 4 })),
          ...v6.map((address) => ({ address, family: 6 })),
        ];
        callback(found.length === 0 ? (error4 ?? error6) : null, found);
      });
    });
  };

  #answer(query: Buffer, from: RemoteInfo): void {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString("latin1", at + 1, at + 1 + length));
      at += length + 1;
    }
    const name = labels.join(".").toLowerCase();
    const type = query.readUInt16BE(at + 1);
    const question = query.subarray(12, at + 5);
    if (type === 1) this.asked.push(name);
    const answers = this.#names.get(name);
    const wanted = (answers?.[0] ?? []).filter((address) => isIPv6(address) === (type === 28));
    // IPv6 is asked for after IPv4, of the same answer.
    if (type === 28 && answers !== undefined && answers.length > 1) answers.shift();
    const records = wanted.map((address) => {
      const data = bytes(address);
      const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, data.length]);
      return Buffer.concat([head, data]);
    });
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 | (answers === undefined ? 3 : 0), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    this.#socket.send(Buffer.concat([header, question, ...records]), from.port, from.address);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#resolver.cancel();
    this.#socket.close();
    await once(this.#socket, "close");
  }
}

/** An address as DNS writes it. */
function bytes(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split(".").map(Number));
  const canonical = new SocketAddress({ address, family: "ipv6" }).address.replace(
    /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
    (_, a, b, c, d) =>
      `${((Number(a) << 8) | Number(b)).toString(16)}:${((Number(c) << 8) | Number(d)).toString(16)}`,
  );
  const [head = "", tail] = canonical.split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":"));
  const before = groups(head);
  const after = groups(tail ?? "");
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return Buffer.from(
    [...before, ...zeros, ...after].flatMap((group) => {
      const value = Number.parseInt(group, 16);
      return [value >> 8, value & 255];
    }),
  );
}
