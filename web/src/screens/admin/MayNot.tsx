import { Card, Page } from "../../parts/Page.js";
import { EmptyState } from "../../parts/States.js";

/** A part that is closed, and by what it opens. */
export function MayNot({ title, what, missing }: { title: string; what: string; missing: string }) {
  return (
    <Page title={title}>
      <Card>
        <EmptyState title={`You may not see ${what}`}>
          <code>{missing}</code> is missing. Whoever manages roles can grant it.
        </EmptyState>
      </Card>
    </Page>
  );
}
