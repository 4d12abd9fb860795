import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "../../root-route.js";

export const deadLettersRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/dead-letters",
  component: lazyRouteComponent(() => import("./DeadLetters.js"), "DeadLetters"),
});
