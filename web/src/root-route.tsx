import { createRootRoute, Link, retainSearchParams } from "@tanstack/react-router";
import { ErrorState, EmptyState } from "./parts/States.js";
import { Card, Page } from "./parts/Page.js";
import { Shell } from "./shell/Shell.js";
import { appSearch } from "./url/app-search.js";

/** Around every page: the shell, and what is in every URL. */
export const rootRoute = createRootRoute({
  validateSearch: appSearch.repair,
  search: { middlewares: [retainSearchParams(["tz", "app"])] },
  component: Shell,
  errorComponent: ({ error, reset }) => (
    <Page title="This page broke">
      <Card>
        <ErrorState error={error} onRetry={reset} />
      </Card>
    </Page>
  ),
  notFoundComponent: () => (
    <Page title="No such page">
      <Card>
        <EmptyState title="There is nothing at this address">
          <p>It may have been mistyped, or come from another version of Carillon.</p>
          <Link to="/" className="link">
            Go to the overview
          </Link>
        </EmptyState>
      </Card>
    </Page>
  ),
});
