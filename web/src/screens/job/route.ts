import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "../../root-route.js";

export const jobRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/apps/$appId/jobs/$jobId",
  component: lazyRouteComponent(() => import("./Job.js"), "Job"),
});
