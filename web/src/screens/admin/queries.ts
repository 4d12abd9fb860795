import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { Output } from "carillon/client";
import { queryClient } from "../../api/query-client.js";
import { client } from "../../session/session.js";

export type KnownPermission = Output<"GET /api/v1/permissions">["items"][number];
export type Identity = Output<"GET /api/v1/principals/{id}/identities">[number];
export type BrokenTarget = Output<"GET /api/v1/apps/{appId}/targets">["items"][number];
export type Breaker = Output<"GET /api/v1/apps/{appId}/targets/breaker">;
export type Retention = Output<"GET /api/v1/apps/{appId}/retention">;
export type Secret = Output<"GET /api/v1/apps/{appId}/secrets">["items"][number];

interface PageOf<T> {
  items: T[];
  nextCursor: string | null;
}

type Asked = { cursor?: string };

/** A list that is read page by page. */
const paged = <T>(
  queryKey: readonly unknown[],
  page: (asked: Asked, signal: AbortSignal) => PromiseLike<PageOf<T>>,
) =>
  infiniteQueryOptions({
    queryKey,
    queryFn: async ({ signal, pageParam }) =>
      page(pageParam === undefined ? {} : { cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }: PageOf<T>) => nextCursor ?? undefined,
  });

export const keysQuery = (whose: "mine" | "all") =>
  paged(["keys", whose], (asked, signal) =>
    client().keys.list({ ...asked, ...(whose === "all" ? { all: true } : {}) }, { signal }),
  );

export const peopleQuery = () =>
  paged(["principals", "list"], (asked, signal) => client().principals.list(asked, { signal }));

export const rolesQuery = () =>
  paged(["roles"], (asked, signal) => client().roles.list({ ...asked, limit: "500" }, { signal }));

export interface AuditFilter {
  app: string;
  actor: string;
  action: string;
  from: string | undefined;
  to: string | undefined;
}

export const auditQuery = ({ app, actor, action, from, to }: AuditFilter) =>
  paged(["audit", { app, actor, action, from, to }], (asked, signal) => {
    const query = {
      ...asked,
      ...(actor === "" ? {} : { actor }),
      ...(action === "" ? {} : { action }),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    };
    return app === ""
      ? client().audit.list(query, { signal })
      : client().audit.ofApp(app, query, { signal });
  });

export const permissionsQuery = () =>
  queryOptions({
    queryKey: ["permissions"],
    queryFn: async ({ signal }) => (await client().permissions.list({ signal })).items,
    staleTime: 60_000,
  });

export const secretsQuery = (appId: string) =>
  queryOptions({
    queryKey: ["secrets", appId],
    queryFn: async ({ signal }) => (await client().secrets.list(appId, { signal })).items,
  });

export const signingKeysQuery = (appId: string) =>
  queryOptions({
    queryKey: ["signing-keys", appId],
    queryFn: async ({ signal }) => (await client().signingKeys.list(appId, { signal })).items,
  });

export const identitiesQuery = (id: string) =>
  queryOptions({
    queryKey: ["identities", id],
    queryFn: ({ signal }) => client().principals.identities(id, { signal }),
  });

export const brokenQuery = (appId: string) =>
  paged(["targets", "broken", appId], (asked, signal) =>
    client().targets.list(appId, asked, { signal }),
  );

export const breakerQuery = (appId: string) =>
  queryOptions({
    queryKey: ["targets", "breaker", appId],
    queryFn: ({ signal }) => client().targets.breaker(appId, { signal }),
  });

export const retentionQuery = (appId: string) =>
  queryOptions({
    queryKey: ["retention", appId],
    queryFn: ({ signal }) => client().retention.ofApp(appId, { signal }),
  });

/** After a change: whatever is shown of these is asked for anew. */
export const changed = (...keys: string[]) =>
  Promise.all(keys.map((key) => queryClient.invalidateQueries({ queryKey: [key] })));
