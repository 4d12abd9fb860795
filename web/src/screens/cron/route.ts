import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "../../root-route.js";
import { cronSearch } from "./search.js";

export const cronRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/crons/$appId/$cronId",
  validateSearch: cronSearch.repair,
  component: lazyRouteComponent(() => import("./Cron.js"), "Cron"),
});
