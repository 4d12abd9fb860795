import { queryOptions } from "@tanstack/react-query";
import { client } from "../session/session.js";

/*
 * What several screens ask for. Keys begin with the resource, so that a change can say what it made
 * old: ["crons"] is every list and detail of crons. A screen's own queries are in its folder.
 */

export const appsQuery = () =>
  queryOptions({
    queryKey: ["apps"],
    queryFn: ({ signal }) => client().apps.list({ signal }),
    staleTime: 60_000,
  });
