import { fillPath } from "./address.js";
import { toDownload } from "./download.js";
import { EventFeed } from "./events.js";
import { Listing, type Page } from "./listing.js";
import { OPERATIONS, type Operation } from "./operations.js";
import { type ClientOptions, type RequestOptions, resolveSettings } from "./settings.js";
import type { ClientMethod } from "./signatures.js";
import { type Outgoing, readJson, Transport } from "./transport.js";

type Operations = typeof OPERATIONS;

/** A method for every endpoint of the API, in groups: `client.crons.list("crm")`. */
export type CarillonClient = {
  readonly [G in keyof Operations]: {
    readonly [M in keyof Operations[G]]: Operations[G][M] extends Operation<infer K>
      ? ClientMethod<K>
      : never;
  };
};

/**
 * A client of the API, for Node 20 and browsers alike.
 *
 * @throws TypeError for a url that is none
 * @example
 * const client = createClient({ url: "http://localhost:8080", key: process.env.CARILLON_KEY });
 * const cron = await client.crons.create("crm", { name: "nightly", schedule: "0 3 * * *" });
 * for await (const tick of client.crons.ticks("crm", cron.id)) console.log(tick.outcome);
 */
export function createClient(options: ClientOptions): CarillonClient {
  const transport = new Transport(resolveSettings(options));
  const groups = Object.entries(OPERATIONS).map(([name, operations]) => [
    name,
    Object.freeze(
      Object.fromEntries(
        Object.entries(operations).map(([method, operation]) => [
          method,
          (...args: unknown[]) => call(transport, operation as Operation, args),
        ]),
      ),
    ),
  ]);
  return Object.freeze(Object.fromEntries(groups)) as CarillonClient;
}

const ACCEPT = { json: "application/json", pages: "application/json", file: "*/*" };

function call(transport: Transport, operation: Operation, args: unknown[]): unknown {
  const { takes, gives } = operation;
  const [method = "", template = ""] = operation.route.split(" ");
  const inPath = template.split("{").length - 1;
  const rest = args.slice(inPath);
  const input = takes === "nothing" ? undefined : (rest.shift() as object | undefined);
  const outgoing = {
    method,
    path: fillPath(template, args),
    accept: gives === "events" ? "text/event-stream" : ACCEPT[gives],
    [takes === "query" ? "query" : "body"]: input,
    options: (rest.shift() ?? {}) as RequestOptions,
  } satisfies Outgoing;

  switch (gives) {
    case "events":
      return new EventFeed(transport, outgoing);
    case "file":
      return transport
        .open(outgoing)
        .then(({ response, attempt }) => toDownload(response, () => attempt.end()));
    case "pages":
      return new Listing((cursor) => {
        const query = cursor === undefined ? input : { ...input, cursor };
        return transport.send({ ...outgoing, query }, readJson) as Promise<Page<unknown>>;
      });
    case "json":
      return transport.send(outgoing, readJson);
  }
}
