import { CarillonConnectionError } from "./errors.js";
import { backoff, sleep } from "./retry.js";
import { readEvents } from "./sse.js";
import { notOurs, type Outgoing, type Transport } from "./transport.js";

/** Milliseconds of silence after which a stream is taken for dead: the server says something every 15 s. */
const SILENCE_MS = 45_000;
/** Milliseconds before a stream that ended is opened again. */
const PAUSE_MS = 250;
/** Streams in a row that may end without an event. */
const MOST_VAIN = 20;

const isEvents = ({ headers }: Response) =>
  headers.get("content-type")?.startsWith("text/event-stream") === true;

/**
 * Events as they happen. A connection that is lost, or that the server ends, is opened again behind
 * the last event that arrived; the event `end` is the last one.
 *
 * @example
 * for await (const { event, data } of client.jobs.followLog("crm", 42)) {
 *   if (event === "log") console.log(data.message);
 * }
 */
export class EventFeed<E extends { event: string; data: unknown }> implements AsyncIterable<E> {
  readonly #transport: Transport;
  readonly #outgoing: Outgoing;

  constructor(transport: Transport, outgoing: Outgoing) {
    this.#transport = transport;
    this.#outgoing = outgoing;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<E, void, undefined> {
    const { signal } = this.#outgoing.options;
    let lastId: string | undefined;
    let vain = 0;
    for (;;) {
      const headers = lastId === undefined ? {} : { "last-event-id": lastId };
      const { response, attempt } = await this.#transport.open({ ...this.#outgoing, headers });
      try {
        if (response.body === null || !isEvents(response)) throw notOurs(response);
        attempt.extend(SILENCE_MS);
        const raws = readEvents(response.body, () => attempt.extend(SILENCE_MS));
        for await (const { event, data, id } of unbroken(raws)) {
          lastId = id ?? lastId;
          vain = 0;
          yield { event, data: JSON.parse(data) as unknown } as E;
          if (event === "end") return;
          attempt.extend(SILENCE_MS);
        }
      } finally {
        attempt.end();
      }
      signal?.throwIfAborted();
      // Streams without a single event are no streams for long.
      if (++vain > MOST_VAIN) throw new CarillonConnectionError("network", "the stream breaks off");
      await sleep(vain === 1 ? PAUSE_MS : backoff(vain), signal);
    }
  }
}

/** What is read until the connection breaks: that ends it, as its end does. */
async function* unbroken<T>(source: AsyncGenerator<T>): AsyncGenerator<T, void, undefined> {
  try {
    for (;;) {
      const next = await source.next().catch(() => undefined);
      if (next === undefined || next.done) return;
      yield next.value;
    }
  } finally {
    await source.return(undefined);
  }
}
