import { z } from "zod";
import type { Queryable } from "../db/connect.js";
import type { Principal } from "../db/principals.js";
import type { Keyring } from "../secrets/keyring.js";
import type { EventsBody, EventStream, FileBody, FileStream } from "./streaming.js";

/** What a route asks of its caller: nothing, a valid credential, or a permission. */
export type Access = "public" | "authenticated" | `app:{appId}:${string}` | `system:${string}`;

export type Method = "get" | "post" | "put" | "patch" | "delete";

/** What an answer is: JSON of a schema, or a stream. */
export type Answer = z.ZodType | EventStream | FileStream;

type Responses = Readonly<Record<number, Answer>>;

type BodyOf<T extends Answer> = T extends z.ZodType
  ? z.input<T>
  : T extends EventStream<infer E>
    ? EventsBody<E>
    : T extends FileStream<infer F>
      ? FileBody<F>
      : never;

/** What a handler may answer: one of the statuses, with a body of that status's schema. */
export type Reply<R extends Responses> = {
  [S in keyof R & number]: { status: S; body: BodyOf<R[S]> };
}[keyof R & number];

/** An answer with its status as a literal, so that it is held against that status's schema. */
export const reply = <const S extends number, B>(status: S, body: B) => ({ status, body });

/** One validated request. */
export interface Call<A extends Access, P, Q, B> {
  /** The pool, or a transaction when the request must be answered once. */
  sql: Queryable;
  params: P;
  query: Q;
  body: B;
  principal: A extends "public" ? undefined : Principal;
  /** The version the caller means to change (If-Match), where the route is `versioned`. */
  expectedVersion: number | undefined;
  /** Refuses (403) a caller without this further permission. */
  demand: (permission: Access) => void;
  /** What seals secrets; refuses (503) where the server has no key for that. */
  keyring: () => Keyring;
}

interface RouteParts<A extends Access, M extends Method = Method, T extends string = string> {
  method: M;
  /** With parameters in braces: `/api/v1/apps/{appId}`. */
  path: T;
  /** What clients call it: listCrons. */
  operationId: string;
  summary: string;
  permission: A;
  /** Permissions that some requests need besides; the handler checks them by `demand`. */
  alsoNeeds?: readonly { permission: Access; when: string }[];
  /** It is about one thing that has a version: in its answer and its ETag, and heeded in If-Match. */
  versioned?: true;
  /** Its answer holds a secret, shown this once and kept nowhere. */
  secret?: true;
  /** Its body holds a secret: where repeated requests are told by their bodies, only a keyed digest is kept. */
  takesSecret?: true;
}

/** A route with its types. */
export interface RouteDefinition<
  M extends Method,
  T extends string,
  A extends Access,
  P extends z.ZodType,
  Q extends z.ZodType,
  B extends z.ZodType,
  R extends Responses,
> extends RouteParts<A, M, T> {
  params?: P;
  query?: Q;
  /** Absent: the route takes no body. One that accepts undefined may be left out. */
  body?: B;
  responses: R;
  handler: (call: Call<A, z.output<P>, z.output<Q>, z.output<B>>) => Promise<Reply<R>>;
}

/** A route as a record: what registers it, and what describes it elsewhere, reads only this. */
export interface Route extends RouteParts<Access> {
  params: z.ZodType;
  query: z.ZodType;
  body: z.ZodType | undefined;
  responses: Responses;
  handler: (
    call: Omit<Call<Access, unknown, unknown, unknown>, "principal"> & {
      principal: Principal | undefined;
    },
  ) => Promise<{ status: number; body: unknown }>;
}

/** A route with what its client is typed by. */
export interface TypedRoute<
  M extends Method,
  T extends string,
  P extends z.ZodType,
  Q extends z.ZodType,
  B extends z.ZodType,
  R extends Responses,
> extends Route {
  method: M;
  path: T;
  params: P;
  query: Q;
  body: B | undefined;
  responses: R;
}

const Nothing = z.strictObject({});

/** Declares a route; its handler, and the client's method for it, are typed by its schemas. */
export function defineRoute<
  const M extends Method,
  const T extends string,
  const A extends Access,
  const R extends Responses,
  P extends z.ZodType = typeof Nothing,
  Q extends z.ZodType = typeof Nothing,
  B extends z.ZodType = z.ZodUndefined,
>(definition: RouteDefinition<M, T, A, P, Q, B, R>): TypedRoute<M, T, P, Q, B, R> {
  const { params = Nothing, query = Nothing, body, handler, ...parts } = definition;
  return {
    ...parts,
    // Nothing is what P and Q are where none were given.
    params: params as P,
    query: query as Q,
    body,
    // The values were parsed with these very schemas, and only public routes have no principal.
    handler: (call) => handler(call as Call<A, z.output<P>, z.output<Q>, z.output<B>>),
  };
}
