import type { JsonObject } from "../db/connect.js";

/**
 * The jobs of your program by method, for you to declare: from then on `onJob` and `enqueue` are
 * typed. While nothing is declared, any method and payload will do.
 *
 * @example
 * declare module "carillon" {
 *   interface Jobs {
 *     remind: { payload: { userId: string }; result: { sent: boolean } };
 *   }
 * }
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type
export interface Jobs {}

/** The methods declared. */
export type MethodOf<J> = keyof J & string;

/** What a job of this method carries. */
export type PayloadOf<J, M extends MethodOf<J>> = (J[M] extends { payload: infer P }
  ? P
  : JsonObject) & { method: M };

/** What the handler of this method gives. */
export type ResultOf<J, M extends MethodOf<J>> = J[M] extends { result: infer R } ? R : unknown;

/** What any job may carry: told apart by its `method`, where methods are declared. */
export type AnyPayload<J> = [keyof J] extends [never]
  ? JsonObject
  : { [M in MethodOf<J>]: PayloadOf<J, M> }[MethodOf<J>];
