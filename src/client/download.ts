/** A file that the server sends: read it in one of the two ways, once. */
export interface Download {
  /** Its content type. */
  readonly type: string;
  /** The name the server gives it. */
  readonly name: string | undefined;
  /** The whole of it as text. */
  text(): Promise<string>;
  /** Its bytes as they come. */
  readonly stream: ReadableStream<Uint8Array>;
}

/** @param end called when there is nothing left to read */
export function toDownload(response: Response, end: () => void): Download {
  const { headers, body } = response;
  if (body === null) throw new TypeError("the answer has no body");
  const [, name] = /filename="?([^";]+)"?/.exec(headers.get("content-disposition") ?? "") ?? [];
  const closing = new TransformStream<Uint8Array, Uint8Array>({ flush: end });
  const stream = body.pipeThrough(closing);
  return {
    type: headers.get("content-type") ?? "",
    name,
    stream,
    text: () => new Response(stream).text(),
  };
}
