import { queryOptions, useQuery } from "@tanstack/react-query";
import { client, useGrants, useMe } from "../session/session.js";

const personQuery = (id: string) =>
  queryOptions({
    queryKey: ["principals", "name", id],
    queryFn: async ({ signal }) => (await client().principals.get(id, { signal })).username,
    staleTime: 600_000,
  });

/** Somebody by name; the beginning of the id for those who may not know people. */
export function PersonName({ id }: { id: string }) {
  const { principal } = useMe();
  const may = useGrants()("system:principal.read");
  const { data } = useQuery({ ...personQuery(id), enabled: may && id !== principal.id });
  if (id === principal.id) return "you";
  return data ?? <code title={id}>{id.slice(0, 8)}…</code>;
}
