import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "../../root-route.js";
import { cronsSearch } from "./search.js";

export const cronsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/crons",
  validateSearch: cronsSearch.repair,
  component: lazyRouteComponent(() => import("./Crons.js"), "Crons"),
});
