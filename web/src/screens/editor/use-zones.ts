import { queryOptions, useQuery } from "@tanstack/react-query";
import type { Suggestion } from "../../parts/Suggest.js";
import { client } from "../../session/session.js";

const NONE: readonly Suggestion[] = [];

/** The zones the database knows, which are not those the browser knows. */
const zonesQuery = () =>
  queryOptions({
    queryKey: ["schedules", "timezones"],
    queryFn: async ({ signal }) => {
      const { items } = await client().schedules.timezones({ signal });
      return items.flatMap(({ name, aliases, offset }): Suggestion[] => {
        const hint = offset.replace("-", "−");
        const own = { value: name, hint, also: aliases.join(" ") };
        // An old name is offered as it is typed, and stored as it is typed.
        return [own, ...aliases.map((value) => ({ value, hint: `${hint} · ${name}` }))];
      });
    },
    staleTime: 3_600_000,
  });

/** Every zone and its old names, each with its offset now. */
export const useZones = (): readonly Suggestion[] => useQuery(zonesQuery()).data ?? NONE;
