import { Writable } from "node:stream";
import { LineDecoder } from "../worker/line-writer.js";
import type { JobLog, Log } from "../worker/types.js";

/** A line that a handler logged. */
export interface LoggedLine {
  level: keyof Log;
  message: string;
  data?: object;
  /** Of a program's output. */
  stream?: "stdout" | "stderr";
}

/** A job's log that keeps its lines in a list. */
export function recordingLog(lines: LoggedLine[]): JobLog {
  const at = (level: keyof Log) => (message: string, data?: object) =>
    void lines.push({ level, message, ...(data === undefined ? {} : { data }) });
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    stream(stream) {
      const decoder = new LineDecoder();
      const keep = (decoded: Iterable<{ text: string }>) => {
        for (const { text } of decoded) lines.push({ level: "info", message: text, stream });
      };
      return new Writable({
        write(chunk: Buffer, _encoding, done) {
          keep(decoder.push(chunk));
          done();
        },
        final(done) {
          keep(decoder.end());
          done();
        },
      });
    },
    flush: () => Promise.resolve(),
  };
}
