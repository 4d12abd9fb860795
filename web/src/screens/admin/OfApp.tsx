import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { appsQuery } from "../../api/queries.js";
import { Select } from "../../parts/Field.js";
import { Card, Page } from "../../parts/Page.js";
import { Loadable, Loading } from "../../parts/States.js";
import { useGrants } from "../../session/session.js";
import { appSearch } from "../../url/app-search.js";
import { useSearchState } from "../../url/use-search-state.js";
import { MayNot } from "./MayNot.js";

interface OfAppProps {
  title: string;
  /** What one may not see without the permission. */
  what: string;
  /** In an app, such as `secret.read`. */
  needs: string;
  lead: ReactNode;
  children: (appId: string) => ReactNode;
}

/** A part that is about one app: the one that is shown everywhere, or the first one may see. */
export function OfApp({ title, what, needs, lead, children }: OfAppProps) {
  const [{ app }, change] = useSearchState(appSearch);
  const apps = useQuery(appsQuery());
  const grants = useGrants();
  if (apps.data === undefined) {
    return (
      <Page title={title}>
        <Card>
          <Loadable query={apps} loading={<Loading rows={3} />}>
            {() => null}
          </Loadable>
        </Card>
      </Page>
    );
  }
  const mine = apps.data.map(({ id }) => id).filter((id) => grants(`app:${id}:${needs}`));
  const appId = app === "" ? mine[0] : mine.find((id) => id === app);
  if (appId === undefined) {
    const missing = `app:${app === "" ? "…" : app}:${needs}`;
    return <MayNot title={title} what={what} missing={missing} />;
  }
  return (
    <Page
      title={title}
      lead={<p>{lead}</p>}
      actions={
        <Select
          label="App"
          value={appId}
          options={mine.map((id) => [id, id] as const)}
          onChange={(next) => change({ app: next })}
        />
      }
    >
      {children(appId)}
    </Page>
  );
}
