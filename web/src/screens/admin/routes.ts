import { createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { rootRoute } from "../../root-route.js";
import { auditSearch, keysSearch } from "./search.js";

const adminRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/admin",
  component: lazyRouteComponent(() => import("./Admin.js"), "Admin"),
});

const homeRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/",
  beforeLoad: () => {
    // The router wants its redirects thrown, and they are no errors.
    // eslint-disable-next-line @typescript-eslint/only-throw-error
    throw redirect({ to: "/admin/keys", replace: true });
  },
});

const keysRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/keys",
  validateSearch: keysSearch.repair,
  component: lazyRouteComponent(() => import("./Keys.js"), "Keys"),
});

const peopleRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/people",
  component: lazyRouteComponent(() => import("./People.js"), "People"),
});

const rolesRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/roles",
  component: lazyRouteComponent(() => import("./Roles.js"), "Roles"),
});

const secretsRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/secrets",
  component: lazyRouteComponent(() => import("./Secrets.js"), "Secrets"),
});

const auditRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/audit",
  validateSearch: auditSearch.repair,
  component: lazyRouteComponent(() => import("./Audit.js"), "Audit"),
});

const appsRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/apps",
  component: lazyRouteComponent(() => import("./Apps.js"), "Apps"),
});

const targetsRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/targets",
  component: lazyRouteComponent(() => import("./Targets.js"), "Targets"),
});

const settingsRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/settings",
  component: lazyRouteComponent(() => import("./Settings.js"), "Settings"),
});

/** Who may do what, what was done, and what is kept. */
export const adminRoutes = adminRoute.addChildren([
  ...[homeRoute, keysRoute, peopleRoute, rolesRoute, secretsRoute, auditRoute, appsRoute],
  ...[targetsRoute, settingsRoute],
]);
