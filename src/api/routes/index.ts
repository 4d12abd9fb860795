import type { Route } from "../route.js";
import { appRoutes } from "./apps.js";
import { auditRoutes } from "./audit.js";
import { cronRoutes } from "./crons.js";
import { healthRoutes } from "./health.js";
import { identityRoutes } from "./identities.js";
import { jobBulkRoutes } from "./job-bulk.js";
import { jobRoutes } from "./jobs.js";
import { logRoutes } from "./logs.js";
import { keyRoutes } from "./keys.js";
import { letterRoutes } from "./letters.js";
import { overviewRoutes } from "./overview.js";
import { permissionRoutes } from "./permissions.js";
import { principalRoutes } from "./principals.js";
import { retentionRoutes } from "./retention.js";
import { roleRoutes } from "./roles.js";
import { scheduleRoutes } from "./schedules.js";
import { secretRoutes } from "./secrets.js";
import { signingKeyRoutes } from "./signing-keys.js";
import { statsRoutes } from "./stats.js";
import { summaryRoutes } from "./summaries.js";
import { systemRoutes } from "./system.js";
import { targetRoutes } from "./targets.js";
import { tickRoutes } from "./ticks.js";
import { upcomingRoutes } from "./upcoming.js";

const rooms = [
  ...healthRoutes,
  ...appRoutes,
  ...cronRoutes,
  ...summaryRoutes,
  ...upcomingRoutes,
  ...overviewRoutes,
  // Before those of one job, whose id would stand for the words of these.
  ...jobBulkRoutes,
  ...jobRoutes,
  ...logRoutes,
  ...letterRoutes,
  ...statsRoutes,
  ...retentionRoutes,
  ...secretRoutes,
  ...signingKeyRoutes,
  ...targetRoutes,
  ...scheduleRoutes,
  ...tickRoutes,
  ...systemRoutes,
  ...principalRoutes,
  ...identityRoutes,
  ...roleRoutes,
  ...keyRoutes,
  ...auditRoutes,
];

/** Any of the routes, with its types: what the client is typed by. */
export type ApiRoute = (typeof rooms)[number] | ReturnType<typeof permissionRoutes>[number];

/** Every route there is: registered, documented and tested from this one list. */
export const ROUTES: readonly Route[] = [...rooms, ...permissionRoutes(() => ROUTES)];
