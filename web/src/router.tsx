import { createRouter } from "@tanstack/react-router";
import { BASE } from "./config.js";
import { rootRoute } from "./root-route.js";
import { adminRoutes } from "./screens/admin/routes.js";
import { cronRoute } from "./screens/cron/route.js";
import { cronsRoute } from "./screens/crons/route.js";
import { overviewRoute } from "./screens/overview/route.js";
import { upcomingRoute } from "./screens/upcoming/route.js";
import { deadLettersRoute } from "./screens/dead-letters/route.js";
import { doctorRoute } from "./screens/doctor/route.js";
import { editCronRoute, newCronRoute } from "./screens/editor/routes.js";
import { jobRoute } from "./screens/job/route.js";
import { jobsRoute } from "./screens/jobs/route.js";
import { buildQuery, parseQuery } from "./url/search.js";

/** Every page; a screen's folder has its route, its search parameters and all it shows. */
const routeTree = rootRoute.addChildren([
  overviewRoute,
  upcomingRoute,
  cronsRoute,
  cronRoute,
  newCronRoute,
  editCronRoute,
  jobsRoute,
  jobRoute,
  deadLettersRoute,
  adminRoutes,
  doctorRoute,
]);

export const router = createRouter({
  routeTree,
  basepath: BASE,
  parseSearch: parseQuery,
  stringifySearch: buildQuery,
  scrollRestoration: true,
  scrollToTopSelectors: ["#main"],
  defaultPendingMs: 300,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
