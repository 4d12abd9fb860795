import { z } from "zod";
import { listApps, patchApp, uninstallApp } from "../../db/apps.js";
import { syncManifest } from "../../db/crons.js";
import { AppPatch, Manifest } from "../../manifest/schema.js";
import { invalidInput } from "../../schedules/parse-input.js";
import { holdsAnyOf } from "../permissions.js";
import { defineRoute, reply } from "../route.js";
import { App, Deployed, toApp } from "../shapes/app.js";
import { InApp, Message } from "../shapes/scalars.js";

/** Every app endpoint. */
export const appRoutes = [
  defineRoute({
    method: "get",
    path: "/api/v1/apps",
    operationId: "listApps",
    summary: "List the apps in which the caller holds any permission",
    permission: "authenticated",
    responses: { 200: z.array(App) },
    handler: async ({ sql, principal }) => {
      const rows = await listApps(sql);
      const visible = rows.filter(({ id }) => holdsAnyOf(principal.permissions, id));
      return reply(200, visible.map(toApp));
    },
  }),
  defineRoute({
    method: "put",
    path: "/api/v1/apps/{appId}/manifest",
    operationId: "putManifest",
    summary: "Install an app, or bring it to what its manifest says",
    permission: "app:{appId}:manifest.write",
    params: InApp,
    body: Manifest,
    responses: { 200: Deployed, 201: Deployed },
    handler: async ({ sql, params: { appId }, body, principal }) => {
      if (body.id !== undefined && body.id !== appId) {
        throw invalidInput([
          { field: "id", message: `is ${body.id}, but the manifest is put to app ${appId}` },
        ]);
      }
      const deployed = await syncManifest(sql, appId, body, principal);
      return reply(deployed.installed ? 201 : 200, deployed);
    },
  }),
  defineRoute({
    method: "patch",
    path: "/api/v1/apps/{appId}",
    operationId: "updateApp",
    summary: "Change an app's name, its agent or its limit, until its next deploy",
    permission: "app:{appId}:manifest.write",
    params: InApp,
    body: AppPatch,
    responses: { 200: App },
    handler: async ({ sql, params: { appId }, body, principal }) =>
      reply(200, toApp(await patchApp(sql, appId, body, principal))),
  }),
  defineRoute({
    method: "delete",
    path: "/api/v1/apps/{appId}",
    operationId: "uninstallApp",
    summary: "Uninstall an app: its crons go, its live jobs are canceled, its history stays",
    permission: "app:{appId}:uninstall",
    params: InApp,
    responses: { 200: Message },
    handler: async ({ sql, params: { appId }, principal }) => {
      await uninstallApp(sql, appId, principal);
      return reply(200, { message: "app uninstalled" });
    },
  }),
];
