import { readFileSync } from "node:fs";

/** Milliseconds between two looks at a pipe that has nothing yet. */
const LOOK_MS = 10;

/** All of the standard input, for parsers of options that cannot wait. */
export function readStdin(): string {
  for (;;) {
    try {
      return readFileSync(0, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_MS);
    }
  }
}
