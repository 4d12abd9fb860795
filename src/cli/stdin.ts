import { readFileSync } from "node:fs";
import { Writable } from "node:stream";
import { createInterface } from "node:readline/promises";
import { CarillonError } from "../errors.js";

/** Milliseconds between two looks at a pipe that has nothing yet. */
const LOOK_MS = 10;

/** All of the standard input, for parsers of options that cannot wait. */
export const readStdin = (): string => readStdinBytes().toString("utf8");

function readStdinBytes(): Buffer {
  for (;;) {
    try {
      return readFileSync(0);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_MS);
    }
  }
}

/**
 * A secret from the standard input: asked for without showing it at a terminal; otherwise all there
 * is, but for the line break that `echo` and editors leave at the end.
 */
export async function readSecret(question: string): Promise<string> {
  if (process.stdin.isTTY) return askUnseen(question);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(readStdinBytes())
      .replace(/\r?\n$/, "");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new CarillonError("invalid_input", "the standard input is not valid UTF-8", {
      hint: "of bytes that are no text, store the base64",
    });
  }
}

async function askUnseen(question: string): Promise<string> {
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: unseen, terminal: true });
  lines.once("SIGINT", () => {
    lines.close();
    process.kill(process.pid, "SIGINT");
  });
  process.stderr.write(`${question} `);
  try {
    return await lines.question("");
  } finally {
    lines.close();
    process.stderr.write("\n");
  }
}
