import { constants, createBrotliDecompress, createGunzip, createInflate } from "node:zlib";

/** Bytes of a body that are kept, decompressed. */
export const MAX_BODY_BYTES = 65_536;

/** An answer's body as it is kept. */
export interface RecordedBody {
  readonly body: string | null;
  /** How `body` is to be read: base64 for what is no text. */
  readonly bodyEncoding: "text" | "base64";
  /** Whether more was sent than is kept. */
  readonly bodyTruncated: boolean;
}

/**
 * A body for the record: decompressed as far as it is kept, and as text where it is text.
 *
 * @param raw what came, as far as it was kept
 * @param cut whether more came
 */
export async function recordBody(
  raw: Buffer,
  cut: boolean,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Promise<RecordedBody> {
  if (raw.length === 0) return { body: null, bodyEncoding: "text", bodyTruncated: cut };
  const plain = await decompress(raw, String(headers["content-encoding"] ?? ""));
  const bytes = plain?.bytes ?? raw;
  const bodyTruncated = cut || plain?.cut === true;
  const text = decode(bytes, String(headers["content-type"] ?? ""), bodyTruncated);
  return text === undefined
    ? { body: bytes.toString("base64"), bodyEncoding: "base64", bodyTruncated }
    : { body: text, bodyEncoding: "text", bodyTruncated };
}

const DECOMPRESSORS: Readonly<Record<string, () => ReturnType<typeof createGunzip>>> = {
  gzip: () => createGunzip({ finishFlush: constants.Z_SYNC_FLUSH }),
  "x-gzip": () => createGunzip({ finishFlush: constants.Z_SYNC_FLUSH }),
  deflate: () => createInflate({ finishFlush: constants.Z_SYNC_FLUSH }),
  br: () => createBrotliDecompress({ finishFlush: constants.BROTLI_OPERATION_FLUSH }),
};

/**
 * Stops at the cap, so that a bomb costs no more than what is kept. Undefined when the coding is
 * none or unknown, or nothing could be made of it.
 */
async function decompress(
  raw: Buffer,
  coding: string,
): Promise<{ bytes: Buffer; cut: boolean } | undefined> {
  const make = DECOMPRESSORS[coding.trim().toLowerCase()];
  if (make === undefined) return undefined;
  const stream = make();
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_BODY_BYTES) stream.destroy();
  });
  stream.on("error", () => stream.destroy());
  stream.end(raw);
  await new Promise((resolve) => stream.once("close", resolve));
  if (length === 0) return undefined;
  return { bytes: Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES), cut: length > MAX_BODY_BYTES };
}

/** The bytes as text; undefined when they are none. */
function decode(bytes: Buffer, contentType: string, cut: boolean): string | undefined {
  if (bytes.includes(0) && !/charset="?utf-16/i.test(contentType)) return undefined;
  const charset = /charset="?([^\s";]+)/i.exec(contentType)?.[1];
  for (const label of charset === undefined ? ["utf-8"] : [charset, "utf-8"]) {
    try {
      // A character at the cut is left out, not taken for an error.
      return new TextDecoder(label, { fatal: true }).decode(bytes, { stream: cut });
    } catch {
      // No such charset, or not in it.
    }
  }
  return undefined;
}
