import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "../../root-route.js";
import { upcomingSearch } from "./search.js";

export const upcomingRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/upcoming",
  validateSearch: upcomingSearch.repair,
  component: lazyRouteComponent(() => import("./Upcoming.js"), "Upcoming"),
});
