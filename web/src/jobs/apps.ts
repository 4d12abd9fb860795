import { useQuery } from "@tanstack/react-query";
import { appsQuery } from "../api/queries.js";
import { useGrants } from "../session/session.js";
import { appSearch } from "../url/app-search.js";
import { useSearchState } from "../url/use-search-state.js";

/** Apps whose jobs are shown in one list at most: each is a request of its own. */
const MOST_APPS = 20;

/** The apps a page is about, as far as one may read their jobs. */
export interface JobApps {
  /** The one that was chosen; "" for all. */
  chosen: string;
  readable: string[];
  /** There are more than one list can hold; one has to be chosen. */
  tooMany: boolean;
}

export function useJobApps() {
  const [{ app }] = useSearchState(appSearch);
  const may = useGrants();
  const query = useQuery(appsQuery());
  const all = query.data?.map(({ id }) => id) ?? [];
  const readable = (app === "" ? all : [app]).filter((id) => may(`app:${id}:job.read`));
  const apps: JobApps = {
    chosen: app,
    readable: readable.slice(0, MOST_APPS),
    tooMany: readable.length > MOST_APPS,
  };
  return { ...query, data: query.data && apps };
}

/** The apps in which one holds a permission, such as `invoke`; the chosen one first. */
export function useAppsWhere(permission: string): string[] {
  const [{ app }] = useSearchState(appSearch);
  const may = useGrants();
  const { data = [] } = useQuery(appsQuery());
  const ids = data.map(({ id }) => id).filter((id) => may(`app:${id}:${permission}`));
  return ids.includes(app) ? [app, ...ids.filter((id) => id !== app)] : ids;
}
