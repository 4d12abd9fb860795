/** A piece of what a container wrote. */
export interface Piece {
  readonly stream: "stdout" | "stderr";
  readonly bytes: Buffer;
}

const HEADER = 8;

/**
 * Takes the two streams of a container's output apart: frames of a header (stream, length) and as
 * many bytes. Frames are passed on as they come, so that none has to fit into memory.
 *
 * @see https://docs.docker.com/reference/api/engine/ "Stream format"
 */
export class FrameDecoder {
  readonly #header = Buffer.alloc(HEADER);
  #read = 0;
  #left = 0;

  /** What this chunk has of the streams; wherever chunks are cut, nothing is lost. */
  *push(chunk: Buffer): Generator<Piece> {
    for (let at = 0; at < chunk.length;) {
      if (this.#left === 0) {
        at += this.#readHeader(chunk.subarray(at));
        continue;
      }
      const bytes = chunk.subarray(at, at + this.#left);
      at += bytes.length;
      this.#left -= bytes.length;
      // 0 is what the container would have read; the engine never sends it. 3 is the engine itself.
      yield { stream: this.#header[0] === 1 ? "stdout" : "stderr", bytes };
    }
  }

  #readHeader(bytes: Buffer): number {
    const taken = bytes.copy(this.#header, this.#read, 0, HEADER - this.#read);
    this.#read += taken;
    if (this.#read < HEADER) return taken;
    this.#read = 0;
    if ((this.#header[0] ?? 255) > 3 || this.#header.readUIntBE(1, 3) !== 0) {
      throw new Error("the engine sent something that is no container's output");
    }
    this.#left = this.#header.readUInt32BE(4);
    return taken;
  }
}
