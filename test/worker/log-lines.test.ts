import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Attempt } from "../../src/worker/attempt.js";
import { AttemptLog, type LogSink, MAX_LINES } from "../../src/worker/job-log.js";
import { LineDecoder } from "../../src/worker/line-writer.js";
import {
  boundary,
  MAX_DATA_BYTES,
  MAX_LINE_BYTES,
  packLine,
  storableMessage,
} from "../../src/worker/log-line.js";

/** Text with characters of every length in UTF-8, and with what is no character. */
const anyText = fc
  .array(
    fc.constantFrom(
      "a",
      "\n",
      "é",
      "…",
      "漢",
      "😀",
      "👩‍👩‍👧",
      "\0",
      "\ud83d",
      "\ude00",
      "\ufffd",
      "\u0007",
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(""));

interface Unpacked {
  at: number;
  level?: string;
  stream?: string;
  message: string;
  data?: unknown;
  percent?: number;
  altered?: object;
}
const unpack = (line: { text: string }) => JSON.parse(line.text) as Unpacked;
const packed = (message: unknown, data?: unknown) =>
  unpack(packLine({ level: "info", stream: "log", message, data }, 1));

describe("a message", () => {
  test("is cut at a byte of choice, never within a character, and what is cut is counted", () => {
    fc.assert(
      fc.property(anyText, fc.nat(80), (message, max) => {
        const { text, altered } = storableMessage(message, max);
        expect(text.isWellFormed()).toBe(true);
        expect(text).not.toContain("\0");
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(max);
        const clean = message.replaceAll("\0", "\ufffd").toWellFormed();
        expect(clean.startsWith(text)).toBe(true);
        // Nothing that had room was cut.
        const next = clean.slice(text.length);
        if (next !== "") {
          const [first = ""] = next;
          expect(Buffer.byteLength(text + first)).toBeGreaterThan(max);
        }
        expect(altered?.cutBytes ?? 0).toBe(Buffer.byteLength(message.slice(text.length)));
        const kept = message.slice(0, text.length);
        expect(altered?.replaced ?? 0).toBe(
          [...text].length === 0
            ? 0
            : Array.from({ length: text.length }, (_, at) => text[at] !== kept[at]).filter(Boolean)
                .length,
        );
      }),
      { numRuns: 2000 },
    );
  });

  test("of 1 MiB is kept whole; of more it says how much is missing", () => {
    const whole = "x".repeat(MAX_LINE_BYTES);
    expect(packed(whole)).toEqual({ at: 1, message: whole });
    expect(packed(`${whole}é`)).toEqual({ at: 1, message: whole, altered: { cutBytes: 2 } });
    const wide = packed("漢".repeat(400_000));
    expect(wide.message).toBe("漢".repeat(349_525));
    expect(wide.altered).toEqual({ cutBytes: 1_200_000 - 349_525 * 3 });
  });

  test("of what is no text is shown as one", () => {
    expect(packed({ a: 1 }).message).toBe("{ a: 1 }");
    expect(packed(undefined).message).toBe("undefined");
    expect(packed(new Error("no")).message).toMatch(/^Error: no\n {4}at /);
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error("never");
        },
      },
    );
    expect(typeof packed(hostile).message).toBe("string");
  });

  test("says what was replaced", () => {
    expect(packed("a\0b\ud800")).toEqual({
      ...{ at: 1, message: "a\ufffdb\ufffd", altered: { replaced: 2 } },
    });
  });
});

describe("data", () => {
  test("is kept as it was when it was logged", () => {
    const data = { n: 1, deep: { list: [1, "ä"] } };
    const line = packLine({ level: "info", stream: "log", message: "", data }, 1);
    data.n = 2;
    expect(unpack(line).data).toEqual({ n: 1, deep: { list: [1, "ä"] } });
  });

  test("may hold what JSON does not", () => {
    const loop: Record<string, unknown> = { name: "loop" };
    loop.self = loop;
    loop.list = [loop, { loop }];
    const shared = { s: 1 };
    const data = {
      ...{
        big: 10n ** 20n,
        symbol: Symbol("s"),
        call: function act() {
          return 1;
        },
        none: undefined,
      },
      ...{ loop, twice: [shared, shared], when: new Date(0), "k\0": "v\ud800" },
    };
    expect(packed("", data).data).toEqual({
      ...{ big: "100000000000000000000", symbol: "Symbol(s)", call: "[function act]" },
      loop: { name: "loop", self: "[circular]", list: ["[circular]", { loop: "[circular]" }] },
      ...{ twice: [shared, shared], when: "1970-01-01T00:00:00.000Z", "k\ufffd": "v\ufffd" },
    });
  });

  test("keeps an error's message, stack and causes", () => {
    const error = new TypeError("outer", { cause: new Error("inner") });
    (error.cause as Error).cause = error;
    expect(packed("", { err: error }).data).toMatchObject({
      err: {
        ...{
          name: "TypeError",
          message: "outer",
          stack: expect.stringContaining("outer") as string,
        },
        cause: { name: "Error", message: "inner", cause: "[circular]" },
      },
    });
  });

  test("that is too large, too deep or hostile does no harm", () => {
    expect(packed("m", { x: "y".repeat(MAX_DATA_BYTES) })).toEqual({
      ...{ at: 1, message: "m", altered: { dataBytes: MAX_DATA_BYTES + 8 } },
    });
    let deep: object = {};
    for (let n = 0; n < 5000; n += 1) deep = { deep };
    expect(JSON.stringify(packed("", deep).data)).toContain('"[deeper]"');
    const hostile = {
      get x() {
        throw new Error("not\0 today");
      },
    };
    expect(packed("", hostile).data).toEqual({ unloggable: "not\ufffd today" });
  });
});

describe("bytes", () => {
  const decode = (chunks: Uint8Array[]) => {
    const decoder = new LineDecoder();
    return [...chunks.flatMap((chunk) => [...decoder.push(chunk)]), ...decoder.end()];
  };
  const intact = { cutBytes: 0, replaced: 0 };

  test("become the same lines wherever they are cut into chunks", () => {
    const line = anyText.map((text) => text.replace(/[\n\0]/g, "").toWellFormed());
    fc.assert(
      fc.property(fc.array(line), fc.boolean(), fc.array(fc.nat(300)), (lines, crlf, cuts) => {
        const bytes = Buffer.from(lines.map((text) => text + (crlf ? "\r\n" : "\n")).join(""));
        const places = [0, ...cuts, bytes.length].sort((a, b) => a - b);
        const chunks = places.slice(1).map((end, at) => bytes.subarray(places[at], end));
        expect(decode(chunks)).toEqual(lines.map((text) => ({ text, altered: intact })));
      }),
      { numRuns: 500 },
    );
  });

  test("of a last line without an end, and of empty lines, are lines too", () => {
    expect(decode([Buffer.from("a\n\nb")]).map(({ text }) => text)).toEqual(["a", "", "b"]);
    expect(decode([Buffer.from("")])).toEqual([]);
  });

  test("that are not UTF-8 are counted", () => {
    const line = Buffer.concat([
      Buffer.from("ok \ufffd "),
      Buffer.of(0xff, 0xc3),
      Buffer.from("\n"),
    ]);
    expect(decode([line])).toEqual([
      { text: "ok \ufffd \ufffd\ufffd", altered: { cutBytes: 0, replaced: 2 } },
    ]);
  });

  test("beyond 1 MiB in a line are cut at a character, and counted", () => {
    const bytes = Buffer.concat([Buffer.from("漢".repeat(700_000)), Buffer.from("\r\nnext")]);
    const chunks = [bytes.subarray(0, 1_000_001), bytes.subarray(1_000_001)];
    const [long, next] = decode(chunks);
    expect(long?.text).toBe("漢".repeat(349_525));
    expect(long?.altered.cutBytes).toBe(2_100_000 + 1 - 349_525 * 3);
    expect(next?.text).toBe("next");
    const exact = decode([Buffer.from(`${"x".repeat(MAX_LINE_BYTES)}\r\n`)]);
    expect(exact).toEqual([{ text: "x".repeat(MAX_LINE_BYTES), altered: intact }]);
  });

  test("have their boundaries found in any text", () => {
    fc.assert(
      fc.property(anyText, fc.nat(100), (text, max) => {
        const bytes = Buffer.from(text);
        const end = boundary(bytes, max);
        expect(end).toBeLessThanOrEqual(bytes.length);
        expect(bytes.subarray(0, end).toString().isWellFormed()).toBe(true);
        expect(text.toWellFormed().startsWith(bytes.subarray(0, end).toString())).toBe(true);
      }),
    );
    expect(boundary(Buffer.alloc(10, 0x80), 5)).toBe(5);
  });
});

describe("the log of an attempt", () => {
  function open(room = () => true) {
    const held = { bytes: 0 };
    const sink: LogSink = {
      hasRoom: room,
      held: (bytes) => void (held.bytes += bytes),
      waiting: () => undefined,
    };
    const attempt = { job: { jobId: 1, attempt: 1 } } as Attempt;
    const log = new AttemptLog(attempt, sink);
    let next = 1;
    /** Takes everything that waits. */
    const drain = () => {
      const all: Unpacked[] = [];
      while (log.pending > 0) {
        const taken = log.take(1000, 1e6);
        all.push(...taken.map(unpack));
        next += taken.length;
        log.stored(next);
      }
      return all;
    };
    return { log, held, drain };
  }

  test("drops what is beyond its lines, and says at once and at its end", async () => {
    const { log, held, drain } = open();
    for (let n = 0; n < MAX_LINES + 5; n += 1) log.log("info", "x");
    const lines = drain();
    expect(lines).toHaveLength(MAX_LINES + 1);
    expect(lines.at(-1)).toMatchObject({
      level: "warn",
      message: expect.stringContaining("full") as string,
    });
    const settled = log.settle();
    expect(drain()).toMatchObject([
      {
        level: "warn",
        message: "5 lines were dropped here: the log is full",
        data: { droppedLines: 5 },
      },
    ]);
    await settled;
    expect(held.bytes).toBe(0);
  });

  test("drops what is beyond its bytes", () => {
    const { log, drain } = open();
    const line = "x".repeat(1_000_000);
    for (let n = 0; n < 70; n += 1) log.log("info", line);
    log.settle()?.catch(() => undefined);
    const lines = drain();
    expect(lines.filter(({ message }) => message === line)).toHaveLength(67);
    expect(lines.at(-1)?.message).toBe("3 lines were dropped here: the log is full");
  });

  test("says where lines are missing that came too fast", () => {
    let room = true;
    const { log, drain } = open(() => room);
    log.log("info", "a");
    room = false;
    log.log("info", "b");
    log.log("info", "c");
    room = true;
    log.log("info", "d");
    expect(drain().map(({ message }) => message)).toEqual([
      "a",
      "2 lines were dropped here: they came faster than they could be stored",
      "d",
    ]);
  });

  test("thins out progress, in its place among the lines, and keeps the last", () => {
    const { log, drain } = open();
    for (let n = 0; n <= 1000; n += 1) log.progress(n / 10, "working");
    log.log("info", "then");
    void log.settle();
    expect(drain()).toMatchObject([
      { stream: "progress", percent: 0, message: "working" },
      { message: "then" },
      { stream: "progress", percent: 100, message: "working" },
    ]);
  });

  test("takes progress as a number from 0 to 100", () => {
    const percent = (value: number) => {
      const { log, drain } = open();
      log.progress(value);
      return drain()[0];
    };
    expect(percent(-1)?.percent).toBe(0);
    expect(percent(100.4)?.percent).toBe(100);
    expect(percent(33.333_333)?.percent).toBe(33.33);
    for (const value of [NaN, Infinity]) {
      expect(percent(value)).toMatchObject({
        ...{
          level: "warn",
          message: `progress(${value}) is ignored: it takes a number from 0 to 100`,
        },
      });
    }
  });
});
