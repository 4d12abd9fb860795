import { Card } from "../parts/Page.js";
import { EmptyState } from "../parts/States.js";

/** There is no app whose jobs one may read. */
export function NoApps({ chosen }: { chosen: string }) {
  const app = chosen === "" ? "<app>" : chosen;
  return (
    <Card>
      <EmptyState
        title={
          chosen === "" ? "You may see no app's jobs" : `You may not see the jobs of ${chosen}`
        }
      >
        <p>
          The permission <code>app:{app}:job.read</code> is missing. Whoever manages roles can grant
          it.
        </p>
      </EmptyState>
    </Card>
  );
}
