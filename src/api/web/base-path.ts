import type { RequestHandler } from "express";

/**
 * Takes the path below which everything is served off a request, so that the rest need not know of
 * it. A proxy that has taken it off already is as right as one that has not.
 */
export function stripBase(base: string): RequestHandler {
  const bare = base.slice(0, -1);
  return (request, _response, next) => {
    const { url } = request;
    if (url.startsWith(base)) request.url = url.slice(bare.length);
    else if (url === bare || url.startsWith(`${bare}?`)) request.url = `/${url.slice(bare.length)}`;
    next();
  };
}
