import { isUtf8 } from "node:buffer";
import { Writable } from "node:stream";
import type { AttemptLog } from "./job-log.js";
import { boundary, MAX_LINE_BYTES } from "./log-line.js";

const LF = 0x0a;
const CR = 0x0d;
/** Lines waiting beyond which the program has to wait. */
const HIGH_WATER = 5000;
const REPLACEMENT = Buffer.from("\ufffd");

/** A line of bytes as text, and what could not be taken over. */
export interface DecodedLine {
  readonly text: string;
  readonly altered: { cutBytes: number; replaced: number };
}

/** Cuts a stream of bytes into lines, wherever its chunks are cut, and holds no more than one line. */
export class LineDecoder {
  #parts: Uint8Array[] = [];
  #size = 0;
  /** Bytes of the line beyond those that are held. */
  #beyond = 0;

  /** The lines that this chunk completes. */
  *push(chunk: Uint8Array): Generator<DecodedLine> {
    let from = 0;
    for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, from)) {
      this.#hold(chunk.subarray(from, at));
      yield this.#line();
      from = at + 1;
    }
    this.#hold(chunk.subarray(from));
  }

  /** The last line, where the stream does not end with a line's end. */
  *end(): Generator<DecodedLine> {
    if (this.#size > 0) yield this.#line();
  }

  #hold(bytes: Uint8Array): void {
    // One more than a line may have, so that a carriage return can be told from text.
    const room = MAX_LINE_BYTES + 1 - this.#size;
    const kept = bytes.subarray(0, room);
    this.#beyond += bytes.length - kept.length;
    if (kept.length === 0) return;
    // A copy: the chunk is its owner's.
    this.#parts.push(Uint8Array.from(kept));
    this.#size += kept.length;
  }

  #line(): DecodedLine {
    const held = Buffer.concat(this.#parts, this.#size);
    const whole = this.#beyond === 0 && held.at(-1) === CR ? held.subarray(0, -1) : held;
    const kept = whole.subarray(0, boundary(whole, MAX_LINE_BYTES));
    const cutBytes = whole.length - kept.length + this.#beyond;
    this.#parts = [];
    this.#size = 0;
    this.#beyond = 0;
    const text = kept.toString("utf8");
    return { text, altered: { cutBytes, replaced: isUtf8(kept) ? 0 : replacements(kept, text) } };
  }
}

/** How many characters of a text stand for bytes that are not UTF-8. */
function replacements(bytes: Buffer, text: string): number {
  let own = 0;
  for (let at = bytes.indexOf(REPLACEMENT); at !== -1; at = bytes.indexOf(REPLACEMENT, at + 3)) {
    own += 1;
  }
  return text.split("\ufffd").length - 1 - own;
}

/** Writes the output of a program into a job's log; it waits while the log cannot keep up. */
export class LineWriter extends Writable {
  readonly #log: AttemptLog;
  readonly #stream: "stdout" | "stderr";
  readonly #decoder = new LineDecoder();

  constructor(log: AttemptLog, stream: "stdout" | "stderr") {
    super({ decodeStrings: true });
    this.#log = log;
    this.#stream = stream;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#add(this.#decoder.push(chunk));
    if (this.#log.pending < HIGH_WATER) done();
    else void this.#log.flush().then(done);
  }

  override _final(done: () => void): void {
    this.#add(this.#decoder.end());
    done();
  }

  #add(lines: Iterable<DecodedLine>): void {
    for (const { text, altered } of lines) {
      this.#log.add({ level: "info", stream: this.#stream, message: text, altered });
    }
  }
}
