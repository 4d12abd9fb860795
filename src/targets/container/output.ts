import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { JobLog } from "../../worker/types.js";
import { FrameDecoder } from "./frames.js";

/** Copies a container's output into the job's log until it ends; as fast as the log can take it. */
export async function copyOutput(output: Readable, log: JobLog): Promise<void> {
  const decoder = new FrameDecoder();
  const streams = { stdout: log.stream("stdout"), stderr: log.stream("stderr") };
  try {
    for await (const chunk of output) {
      for (const { stream, bytes } of decoder.push(chunk as Buffer)) {
        if (!streams[stream].write(bytes)) await once(streams[stream], "drain");
      }
    }
  } finally {
    await Promise.all([ended(streams.stdout), ended(streams.stderr)]);
  }
}

const ended = (stream: Writable): Promise<void> =>
  new Promise((resolve) => stream.end(() => resolve()));
