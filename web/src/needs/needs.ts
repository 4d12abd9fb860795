import type { Output } from "carillon/client";
import { queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { usePolling } from "../live/live.js";
import { client } from "../session/session.js";
import { appSearch } from "../url/app-search.js";
import { useSearchState } from "../url/use-search-state.js";

export type Attention = Output<"GET /api/v1/attention">;
export type AttentionItem = Attention["items"][number];

/** What needs somebody, most serious first. */
export const attentionQuery = (app: string) =>
  queryOptions({
    queryKey: ["attention", app],
    queryFn: ({ signal }) => client().overview.attention(app === "" ? {} : { app }, { signal }),
  });

/** How many need somebody: shown beside the pages they are on. */
export interface Needs {
  causes: number;
  /** Crons that fail, have paused themselves, or are denied. */
  crons: number;
  letters: number;
  /** Something does not work just now. */
  critical: boolean;
}

const CRONS: ReadonlySet<AttentionItem["kind"]> = new Set(["failing", "self_paused", "denied"]);
const EVERY_MS = 30_000;

/** The same in numbers, of the app that is shown; at rest with the page, and no part of its age. */
export function useNeeds(): Needs {
  const [{ app }] = useSearchState(appSearch);
  const queries = useQueryClient();
  const polling = usePolling(EVERY_MS);
  const { data } = useQuery({
    queryKey: ["attention", "numbers", app],
    // What the overview has just read is not read again.
    queryFn: async () =>
      needsOf(await queries.fetchQuery({ ...attentionQuery(app), staleTime: EVERY_MS / 2 })),
    ...polling,
  });
  return data ?? { causes: 0, crons: 0, letters: 0, critical: false };
}

function needsOf({ items, count }: Attention): Needs {
  const sum = (of: (item: AttentionItem) => number) =>
    items.reduce((total, item) => total + of(item), 0);
  return {
    causes: count,
    crons: sum(({ kind, cronCount }) => (CRONS.has(kind) ? cronCount : 0)),
    letters: sum(({ kind, count: letters }) => (kind === "dead_letters" ? letters : 0)),
    critical: items.some(({ severity }) => severity === "critical"),
  };
}
