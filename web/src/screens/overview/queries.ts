import type { Output } from "carillon/client";
import { queryOptions } from "@tanstack/react-query";
import { client } from "../../session/session.js";

export type Day = Output<"GET /api/v1/overview">;
export type Hour = Day["hours"][number];

/** The last day and the present. */
export const dayQuery = (app: string) =>
  queryOptions({
    queryKey: ["overview", app],
    queryFn: ({ signal }) => client().overview.get(app === "" ? {} : { app }, { signal }),
  });
