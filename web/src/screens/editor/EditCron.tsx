import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { cronQuery } from "../../crons/queries.js";
import type { CronSummary } from "../../crons/types.js";
import { Card, Page } from "../../parts/Page.js";
import { EmptyState, Loadable } from "../../parts/States.js";
import { Editor } from "./Editor.js";
import { valuesOf } from "../../crons/values.js";

/** Changes a cron. */
export function EditCron() {
  const { appId = "", cronId = "" } = useParams({ strict: false });
  // What one edits does not change under one's hands: a change of somebody else shows at saving.
  const query = useQuery({ ...cronQuery(appId, cronId), refetchOnWindowFocus: false });
  if (query.data === undefined) {
    return (
      <Page title="Edit a cron">
        <Card>
          <Loadable query={query}>{() => null}</Loadable>
        </Card>
      </Page>
    );
  }
  const { cron, can } = query.data;
  if (!can.includes("write")) return <MayNot cron={cron} />;
  return <Editor key={cron.id} appId={appId} cron={cron} begin={valuesOf(cron)} />;
}

function MayNot({ cron: { appId, id, name } }: { cron: CronSummary["cron"] }) {
  return (
    <Page title={`Edit ${name}`}>
      <Card>
        <EmptyState title={`You may look at ${name}, and not change it`}>
          <p>
            <code>{`app:${appId}:cron.write`}</code> is missing, or it is another&apos;s and{" "}
            <code>{`app:${appId}:cron.manage_others`}</code> is.
          </p>
          <Link to="/crons/$appId/$cronId" params={{ appId, cronId: id }} className="link">
            Back to {name}
          </Link>
        </EmptyState>
      </Card>
    </Page>
  );
}
