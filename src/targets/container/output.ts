import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { JobLog } from "../../worker/types.js";
import { FrameDecoder, type Piece } from "./frames.js";

/** Copies a container's output into the job's log, as fast as the log can take it. */
export class OutputCopy {
  readonly #log: JobLog;
  /** Bytes copied so far. */
  readonly #copied: Record<Piece["stream"], number> = { stdout: 0, stderr: 0 };

  constructor(log: JobLog) {
    this.#log = log;
  }

  /**
   * Copies until the output ends.
   *
   * @param output all of the container's output, from its start; what was copied before is left out
   */
  async copy(output: Readable): Promise<void> {
    const decoder = new FrameDecoder();
    const known = { ...this.#copied };
    const streams = { stdout: this.#log.stream("stdout"), stderr: this.#log.stream("stderr") };
    try {
      for await (const chunk of output) {
        for (const { stream, bytes } of decoder.push(chunk as Buffer)) {
          const fresh = bytes.subarray(known[stream]);
          known[stream] -= bytes.length - fresh.length;
          this.#copied[stream] += fresh.length;
          if (!streams[stream].write(fresh)) await once(streams[stream], "drain");
        }
      }
    } finally {
      await Promise.all([ended(streams.stdout), ended(streams.stderr)]);
    }
  }
}

const ended = (stream: Writable): Promise<void> =>
  new Promise((resolve) => stream.end(() => resolve()));
