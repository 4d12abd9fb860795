import type { Request, Response } from "express";
import { once } from "node:events";
import type { z } from "zod";
import { invalidInput } from "../schedules/parse-input.js";

/** Answers that are written piece by piece, for as long as the client reads. */
export interface StreamSettings {
  /** Milliseconds after which a silent event stream says that it is alive; default 15 s. */
  keepAliveMs: number;
  /** Milliseconds an event stream lasts; then its client comes again, and is authenticated anew. */
  lastsMs: number;
  /** Aborted when the server closes. */
  closing: AbortSignal | undefined;
}

export const STREAM_DEFAULTS: StreamSettings = {
  keepAliveMs: 15_000,
  lastsMs: 15 * 60_000,
  closing: undefined,
};

type Schemas = Readonly<Record<string, z.ZodType>>;

/** Server-sent events: the data of each, by the event's name. */
export interface EventStream<E extends Schemas = Schemas> {
  readonly kind: "events";
  readonly events: E;
}

/** A file to download: what it holds, by content type. A line's schema where it is lines of JSON. */
export interface FileStream<T extends Schemas = Schemas> {
  readonly kind: "file";
  readonly types: T;
}

export const eventStream = <const E extends Schemas>(events: E): EventStream<E> => ({
  kind: "events",
  events,
});

export const fileStream = <const T extends Schemas>(types: T): FileStream<T> => ({
  kind: "file",
  types,
});

/** One event; where it has an id, a client that lost the connection can go on behind it. */
export type EventOf<E extends Schemas = Schemas> = {
  [N in keyof E & string]: { event: N; id?: number; data: z.input<E[N]> };
}[keyof E & string];

/** What a handler answers for events: begun when the first is wanted, ended by the signal. */
export type EventsBody<E extends Schemas = Schemas> = (
  signal: AbortSignal,
  lastEventId: number | undefined,
) => AsyncIterable<EventOf<E>>;

/** What a handler answers for a file. */
export interface FileBody<T extends Schemas = Schemas> {
  type: keyof T & string;
  name: string;
  text: () => AsyncIterable<string>;
}

/** The Last-Event-ID of a client that comes again. */
export function lastEventId(request: Request): number | undefined {
  const id = request.get("last-event-id");
  if (id === undefined || id === "") return undefined;
  if (/^\d{1,9}$/.test(id)) return Number(id);
  throw invalidInput([{ field: "Last-Event-ID", message: "is not the id of an event" }]);
}

// Headers are set without Express, which would add a charset to the content type.

/** Writes events until they end, the client goes, or the server closes. */
export async function sendEvents(
  response: Response,
  body: EventsBody,
  lastId: number | undefined,
  { keepAliveMs, lastsMs, closing }: StreamSettings,
): Promise<void> {
  response.setHeader("content-type", "text/event-stream");
  response.setHeader("x-accel-buffering", "no");
  if (endsWithHead(response)) return;
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const late = setTimeout(() => gone.abort(), lastsMs);
  const signal = closing === undefined ? gone.signal : AbortSignal.any([gone.signal, closing]);
  // A client that does not read is not written to.
  const beat = setInterval(() => {
    if (!response.writableNeedDrain) response.write(": keep-alive\n\n");
  }, keepAliveMs);
  try {
    response.write("retry: 1000\n\n");
    for await (const event of body(signal, lastId)) {
      if (signal.aborted) break;
      // What comes in one burst goes out in one piece.
      if (response.writableCorked === 0) {
        response.cork();
        setImmediate(() => response.uncork());
      }
      if (!response.write(encode(event))) await drained(response, signal);
    }
  } finally {
    clearInterval(beat);
    clearTimeout(late);
  }
  finish(response);
}

/** Writes a file as fast as the client takes it. */
export async function sendFile(response: Response, { type, name, text }: FileBody): Promise<void> {
  response.setHeader("content-type", type);
  response.setHeader("content-disposition", `attachment; filename="${name}"`);
  if (endsWithHead(response)) return;
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  for await (const piece of text()) {
    if (gone.signal.aborted) return;
    if (!response.write(piece)) await drained(response, gone.signal);
  }
  response.end();
}

/** JSON holds no line break, so the data is one line. */
const encode = ({ event, id, data }: EventOf) =>
  `event: ${event}\n${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;

function endsWithHead(response: Response): boolean {
  if (response.req.method !== "HEAD") return false;
  response.end();
  return true;
}

/** Resolves when the client has read what was written, or the signal is aborted. */
const drained = (response: Response, signal: AbortSignal) =>
  once(response, "drain", { signal }).catch(() => undefined);

const FINISH_MS = 5000;

/** What a client does not fetch in time is not kept for it. */
function finish(response: Response): void {
  response.end();
  const cut = setTimeout(() => response.destroy(), FINISH_MS);
  response.once("close", () => clearTimeout(cut));
  if (response.closed) clearTimeout(cut);
}
