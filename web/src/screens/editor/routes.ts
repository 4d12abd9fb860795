import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "../../root-route.js";
import { newCronSearch } from "./search.js";

export const newCronRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/crons/$appId/new",
  validateSearch: newCronSearch.repair,
  component: lazyRouteComponent(() => import("./NewCron.js"), "NewCron"),
});

export const editCronRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/crons/$appId/$cronId/edit",
  component: lazyRouteComponent(() => import("./EditCron.js"), "EditCron"),
});
