import { ERRORS, type ErrorCode } from "../../errors.js";
import type { Route } from "../route.js";

/** Errors that are never an answer to a route of the table. */
const ELSEWHERE: readonly ErrorCode[] = [
  ...(["invalid_config", "foreign_migrations", "route_not_found", "method_not_allowed"] as const),
  ...(["malformed_request", "request_timeout", "headers_too_large"] as const),
];

/** The statuses with which a route may refuse or fail; every one is a problem document. */
export function problemStatuses(route: Route): number[] {
  const isPublic = route.permission === "public";
  const changes = route.method !== "get";
  return [
    400,
    ...(isPublic ? [] : [401, 403]),
    ...(isPublic ? [] : [404]),
    ...(changes ? [409] : []),
    ...(changes && route.method !== "post" && route.versioned ? [412] : []),
    ...(changes ? [413, 415] : []),
    ...(isPublic ? [] : [429]),
    ...[500, 503, 504],
  ];
}

/** The codes that go with a status. */
export const codesOf = (status: number): ErrorCode[] =>
  (Object.keys(ERRORS) as ErrorCode[]).filter(
    (code) => ERRORS[code].status === status && !ELSEWHERE.includes(code),
  );

/** Every status of a problem that any route may answer. */
export const PROBLEM_STATUSES = [
  400, 401, 403, 404, 409, 412, 413, 415, 429, 500, 503, 504,
] as const;
