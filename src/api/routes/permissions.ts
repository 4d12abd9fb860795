import { z } from "zod";
import { listApps, type AppRow } from "../../db/apps.js";
import { fillPermission, hasPermission, holdsAnyOf } from "../permissions.js";
import { defineRoute, reply, type Route } from "../route.js";

const PermissionEntry = z.strictObject({
  permission: z.string(),
  appId: z.string().nullable().describe("The app it is about; null for the installation."),
  declared: z.boolean().describe("Whether the app brings it, by its manifest or by default."),
  held: z.boolean().describe("Whether the caller holds it, and so may grant it."),
  opens: z.array(z.string()).describe("What it is needed for in this API."),
});

/** What each permission of the route table opens. */
function opened(routes: readonly Route[]): Map<string, string[]> {
  const byPermission = new Map<string, string[]>();
  const add = (permission: string, what: string) => {
    if (permission === "public" || permission === "authenticated") return;
    byPermission.set(permission, [...(byPermission.get(permission) ?? []), what]);
  };
  for (const { permission, alsoNeeds = [], summary } of routes) {
    add(permission, summary);
    for (const extra of alsoNeeds) add(extra.permission, `${summary} (when ${extra.when})`);
  }
  return byPermission;
}

/** Every permission of an app: those the API asks for, and those the app brings of its own. */
function ofApp(app: AppRow, templates: readonly (readonly [string, string[]])[]) {
  const known = templates.map(
    ([template, opens]) => [fillPermission(template, { appId: app.id }), opens] as const,
  );
  const names = new Set(known.map(([permission]) => permission));
  const own = app.permissions.filter((permission) => !names.has(permission));
  return [...known, ...own.map((permission) => [permission, [] as string[]] as const)];
}

/** The permissions there are to be granted; `routes` is the whole table, which this route is part of. */
export const permissionRoutes = (routes: () => readonly Route[]) => [
  defineRoute({
    method: "get",
    path: "/api/v1/permissions",
    operationId: "listPermissions",
    summary: "List the permissions there are: the installation's, and those of one's apps",
    permission: "authenticated",
    responses: { 200: z.strictObject({ items: z.array(PermissionEntry) }) },
    handler: async ({ sql, principal: { permissions: held } }) => {
      const templates = [...opened(routes())];
      const apps = (await listApps(sql)).filter(({ id }) => holdsAnyOf(held, id));
      const entry = (permission: string, app: AppRow | null, opens: string[]) => ({
        permission,
        appId: app?.id ?? null,
        declared: app?.permissions.includes(permission) ?? false,
        held: hasPermission(held, permission),
        opens,
      });
      const system = templates.filter(([permission]) => permission.startsWith("system:"));
      const perApp = templates.filter(([permission]) => permission.startsWith("app:"));
      const items = [
        ...system.map(([permission, opens]) => entry(permission, null, opens)),
        ...apps.flatMap((app) =>
          ofApp(app, perApp).map(([permission, opens]) => entry(permission, app, opens)),
        ),
      ];
      return reply(200, { items });
    },
  }),
];
