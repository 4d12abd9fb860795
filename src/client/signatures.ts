import type { z } from "zod";
import type { ApiRoute } from "../api/routes/index.js";
import type { EventStream, FileStream } from "../api/streaming.js";
import type { Download } from "./download.js";
import type { EventFeed } from "./events.js";
import type { Listing, Page } from "./listing.js";
import type { RequestOptions } from "./settings.js";

/*
 * What the client's methods take and give, read off the route table. Only types: nothing of the
 * server comes into a program that uses the client.
 */

type KeyOf<R> = R extends ApiRoute ? `${Uppercase<R["method"]>} ${R["path"]}` : never;

/** A route by its method and path: `GET /api/v1/apps`. */
export type RouteKey = KeyOf<ApiRoute>;

type RouteOf<K extends RouteKey> = K extends `${infer M} ${infer P}`
  ? Extract<ApiRoute, { method: Lowercase<M>; path: P }>
  : never;

type ParamNames<T> = T extends `${string}{${infer N}}${infer Rest}` ? [N, ...ParamNames<Rest>] : [];

/** A path parameter as an argument, named for the editor. */
type PathArg<N, V> = N extends "appId"
  ? [appId: V]
  : N extends "role"
    ? [role: V]
    : N extends "name"
      ? [name: V]
      : [id: V];

type PathArgs<Names, I, O> = Names extends [infer N, ...infer Rest]
  ? [...PathArg<N, I[N & keyof I] | O[N & keyof O]>, ...PathArgs<Rest, I, O>]
  : [];

/** As it is sent, or as the server reads it: `5` for `"5"`, a list for a text joined by commas. */
type QueryValue<I, O> =
  I | O | ([Exclude<I, undefined>] extends ["true" | "false"] ? boolean : never);

type QueryInput<I, O> = { [N in keyof I]: QueryValue<I[N], O[N & keyof O]> };

/** Whether an object type has no fields: `{}`, or what zod makes of an empty strict object. */
type IsEmpty<I> = [keyof I] extends [never] ? true : string extends keyof I ? true : false;

type Body<R extends ApiRoute> = Exclude<R["body"], undefined>;

/** Where a route's input goes. */
export type Takes<K extends RouteKey> =
  IsEmpty<z.input<RouteOf<K>["query"]>> extends false
    ? "query"
    : [Body<RouteOf<K>>] extends [z.ZodUndefined]
      ? "nothing"
      : "body";

type QueryArgs<Q extends z.ZodType> =
  object extends QueryInput<z.input<Q>, z.output<Q>>
    ? [query?: QueryInput<z.input<Q>, z.output<Q>>]
    : [query: QueryInput<z.input<Q>, z.output<Q>>];

type BodyArgs<I> = undefined extends I ? [body?: Exclude<I, undefined>] : [body: I];

type InputArgs<K extends RouteKey> =
  Takes<K> extends "query"
    ? QueryArgs<RouteOf<K>["query"]>
    : Takes<K> extends "body"
      ? BodyArgs<z.input<Body<RouteOf<K>>>>
      : [];

type Answers<R extends ApiRoute> = R["responses"][keyof R["responses"]];
type OutputOf<T> = T extends z.ZodType ? z.output<T> : never;

/** What a route answers. */
export type Output<K extends RouteKey> = OutputOf<Answers<RouteOf<K>>>;

/** Whether a route answers JSON, a page of a list, events or a file. */
export type Gives<K extends RouteKey> =
  Answers<RouteOf<K>> extends EventStream
    ? "events"
    : Answers<RouteOf<K>> extends FileStream
      ? "file"
      : Output<K> extends { items: unknown[]; nextCursor: unknown }
        ? "pages"
        : "json";

type EventOf<S> =
  S extends EventStream<infer E>
    ? { [N in keyof E & string]: { event: N; data: z.output<E[N]> } }[keyof E & string]
    : never;

type Result<K extends RouteKey> =
  Gives<K> extends "events"
    ? EventFeed<EventOf<Answers<RouteOf<K>>>>
    : Gives<K> extends "file"
      ? Promise<Download>
      : Output<K> extends Page<infer I>
        ? Listing<Output<K>, I>
        : Promise<Output<K>>;

type Args<K extends RouteKey> = PathArgs<
  ParamNames<RouteOf<K>["path"]>,
  z.input<RouteOf<K>["params"]>,
  z.output<RouteOf<K>["params"]>
>;

/** What is given to a route: its query or its body. */
export type Input<K extends RouteKey> = Exclude<InputArgs<K>[0], undefined>;

/** A method of the client: the path's parameters, then the route's query or body, then options. */
export type ClientMethod<K extends RouteKey> = (
  ...args: [...Args<K>, ...InputArgs<K>, options?: RequestOptions]
) => Result<K>;
