import type { Output } from "carillon/client";
import { queryOptions } from "@tanstack/react-query";
import { client } from "../../session/session.js";

export type Attention = Output<"GET /api/v1/attention">;
export type AttentionItem = Attention["items"][number];
export type Day = Output<"GET /api/v1/overview">;
export type Hour = Day["hours"][number];

const of = (app: string) => (app === "" ? {} : { app });

/** What needs somebody. */
export const attentionQuery = (app: string) =>
  queryOptions({
    queryKey: ["attention", app],
    queryFn: ({ signal }) => client().overview.attention(of(app), { signal }),
  });

/** The last day and the present. */
export const dayQuery = (app: string) =>
  queryOptions({
    queryKey: ["overview", app],
    queryFn: ({ signal }) => client().overview.get(of(app), { signal }),
  });
