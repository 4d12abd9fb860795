import type { EventStream } from "../../src/api/streaming.js";

/** An event as it came over the wire. */
export interface ServerEvent {
  event: string;
  id: string | undefined;
  data: unknown;
}

/** The events of a whole answer. */
export function* readEvents(text: string): Generator<ServerEvent> {
  for (const block of text.split("\n\n")) {
    const event = readEvent(block);
    if (event !== undefined) yield event;
  }
}

/** One block of lines; undefined for comments and settings. */
function readEvent(block: string): ServerEvent | undefined {
  const fields = new Map(
    block.split("\n").map((line) => {
      const at = line.indexOf(":");
      return [line.slice(0, at), line.slice(at + 1).trimStart()] as const;
    }),
  );
  const event = fields.get("event");
  if (event === undefined) return undefined;
  return { event, id: fields.get("id"), data: JSON.parse(fields.get("data") ?? "") as unknown };
}

/** Holds an event against the table: its name is declared, and its data has exactly that shape. */
export const holdEvent =
  ({ events }: EventStream) =>
  ({ event, data }: ServerEvent): void => {
    const schema = events[event];
    if (schema === undefined) throw new Error(`an undeclared event ${event}`);
    schema.parse(data);
  };

/** A client of an event stream, over HTTP. */
export class EventReader implements AsyncDisposable {
  readonly response: Response;
  /** Everything that came. */
  text = "";
  readonly #shape: EventStream;
  readonly #chunks: AsyncIterator<string, undefined>;
  readonly #abort: AbortController;
  #read = 0;

  private constructor(response: Response, shape: EventStream, abort: AbortController) {
    if (response.body === null) throw new Error("no body");
    this.response = response;
    this.#shape = shape;
    this.#abort = abort;
    const text: AsyncIterable<string, undefined> = response.body.pipeThrough(
      new TextDecoderStream(),
    );
    this.#chunks = text[Symbol.asyncIterator]();
  }

  static async open(url: string, headers: Record<string, string>, shape: EventStream) {
    const abort = new AbortController();
    const response = await fetch(url, { headers, signal: abort.signal });
    if (response.headers.get("content-type") !== "text/event-stream") {
      abort.abort();
      throw new Error(`${response.status} ${response.headers.get("content-type")}`);
    }
    return new EventReader(response, shape, abort);
  }

  /** The next event; undefined when the stream has ended. */
  async next(): Promise<ServerEvent | undefined> {
    for (;;) {
      const end = this.text.indexOf("\n\n", this.#read);
      if (end === -1) {
        const { done, value } = await this.#chunks.next();
        if (done) return undefined;
        this.text += value;
        continue;
      }
      const event = readEvent(this.text.slice(this.#read, end));
      this.#read = end + 2;
      if (event === undefined) continue;
      holdEvent(this.#shape)(event);
      return event;
    }
  }

  /** So many events. */
  async take(count: number): Promise<ServerEvent[]> {
    const events: ServerEvent[] = [];
    while (events.length < count) {
      const event = await this.next();
      if (event === undefined) throw new Error(`ended after ${events.length} of ${count} events`);
      events.push(event);
    }
    return events;
  }

  /** All events to the end. */
  async rest(): Promise<ServerEvent[]> {
    const events: ServerEvent[] = [];
    for (let event = await this.next(); event !== undefined; event = await this.next()) {
      events.push(event);
    }
    return events;
  }

  /** Waits until the text holds this, for what is no event. */
  async until(text: string): Promise<void> {
    while (!this.text.includes(text)) {
      const { done, value } = await this.#chunks.next();
      if (done) throw new Error(`ended without ${JSON.stringify(text)}`);
      this.text += value;
    }
  }

  /** Hangs up. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    return Promise.resolve();
  }
}
