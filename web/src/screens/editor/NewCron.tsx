import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { client, useGrants } from "../../session/session.js";
import { Card, Page } from "../../parts/Page.js";
import { EmptyState, Loadable } from "../../parts/States.js";
import { useSearchState } from "../../url/use-search-state.js";
import { Editor } from "./Editor.js";
import { newCronSearch } from "./search.js";
import { NOTHING, valuesOf, type EditorValues } from "../../crons/values.js";

/** A new cron of an app, empty or after another one. */
export function NewCron() {
  const { appId = "" } = useParams({ strict: false });
  const [{ from, of }] = useSearchState(newCronSearch);
  const grants = useGrants();
  const navigate = useNavigate();
  const query = useQuery({
    queryKey: ["crons", "source", of || appId, from],
    queryFn: ({ signal }) => client().crons.get(of || appId, from, { signal }),
    enabled: from !== "",
    staleTime: Infinity,
  });
  if (!grants(`app:${appId}:cron.write`)) return <MayNot appId={appId} />;
  const editor = (values: EditorValues) => (
    <Editor
      key={from}
      appId={appId}
      onApp={(next) =>
        void navigate({
          to: "/crons/$appId/new",
          params: { appId: next },
          search: newCronSearch.build({ from, of: from && (of || appId) }) as never,
          replace: true,
        })
      }
      begin={values}
    />
  );
  if (from === "") return editor(NOTHING);
  if (query.data !== undefined) {
    return editor({ ...valuesOf(query.data), name: copyName(query.data.name) });
  }
  return (
    <Page title="New cron">
      <Card>
        <Loadable query={query}>{() => null}</Loadable>
      </Card>
    </Page>
  );
}

/** A name that says what it was copied from, in the length there is. */
const copyName = (name: string) => `${name.slice(0, 59)}-copy`;

function MayNot({ appId }: { appId: string }) {
  return (
    <Page title="New cron">
      <Card>
        <EmptyState title={`You may not make crons in ${appId}`}>
          <p>
            <code>{`app:${appId}:cron.write`}</code> is missing. Whoever manages roles can grant it.
          </p>
          <Link to="/crons" className="link">
            Back to the crons
          </Link>
        </EmptyState>
      </Card>
    </Page>
  );
}
