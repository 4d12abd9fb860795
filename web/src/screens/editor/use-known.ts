import { queryOptions, useQuery } from "@tanstack/react-query";
import type { Suggestion } from "../../parts/Suggest.js";
import { client } from "../../session/session.js";
import { TARGET_FIELDS, type TargetType } from "./target-text.js";

type Known = Readonly<Record<string, readonly Suggestion[]>>;

const NONE: Known = {};

/** What the crons of an app say in the fields of such targets: queues, servers, images. */
const knownQuery = (appId: string, type: "faktory" | "container") =>
  queryOptions({
    queryKey: ["crons", "known", appId, type],
    queryFn: async ({ signal }): Promise<Known> => {
      const query = { app: appId, target: [type], limit: "200" };
      const { items } = await client().crons.summaries(query, { signal });
      const values = (name: string) =>
        items.flatMap(({ cron: { target } }) => {
          const value: unknown = target?.[name];
          return typeof value === "string" ? [value] : [];
        });
      const names = TARGET_FIELDS[type].filter(({ known }) => known).map(({ name }) => name);
      return Object.fromEntries(
        names.map((name) => [name, [...new Set(values(name))].sort().map((value) => ({ value }))]),
      );
    },
    staleTime: 60_000,
  });

/** Offered where other crons of the app have such a target; any other text does as well. */
export function useKnown(appId: string, type: TargetType | "json"): Known {
  const asked = type === "faktory" || type === "container" ? type : undefined;
  const { data } = useQuery({
    ...knownQuery(appId, asked ?? "faktory"),
    enabled: asked !== undefined,
  });
  return asked === undefined ? NONE : (data ?? NONE);
}
