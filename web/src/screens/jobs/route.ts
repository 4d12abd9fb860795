import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "../../root-route.js";
import { jobsSearch } from "./search.js";

export const jobsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/jobs",
  validateSearch: jobsSearch.repair,
  component: lazyRouteComponent(() => import("./Jobs.js"), "Jobs"),
});
