import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { NewCronLink } from "../../crons/NewCronLink.js";
import { cronsQuery } from "../../crons/queries.js";
import { useHold, useLiveOptions } from "../../live/live.js";
import { Card, Page } from "../../parts/Page.js";
import { ErrorState, Loading } from "../../parts/States.js";
import { More } from "../../parts/Table.js";
import { counted } from "../../time/format.js";
import { appSearch } from "../../url/app-search.js";
import { useSearchState } from "../../url/use-search-state.js";
import { BulkBar } from "./BulkBar.js";
import { CronTable } from "./CronTable.js";
import { Filters } from "./Filters.js";
import { NoCrons } from "./NoCrons.js";
import { cronsSearch } from "./search.js";

/** Every cron one may see: what needs somebody first, then what fires next. */
export function Crons() {
  const [{ app }] = useSearchState(appSearch);
  const [filter, change] = useSearchState(cronsSearch);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  useHold(selected.size === 0 ? undefined : `${counted(selected.size, "row")} selected`);
  const query = useInfiniteQuery({ ...cronsQuery({ app, ...filter }), ...useLiveOptions(5000) });
  const { data, error } = query;
  const crons = data?.pages.flatMap(({ items }) => items) ?? [];
  const total = data?.pages[0]?.count;
  return (
    <Page
      title="Crons"
      actions={<NewCronLink app={app} />}
      lead={total && `${counted(total.count, "cron")}${total.capped ? " and more" : ""}`}
    >
      <Filters filter={filter} onChange={change} />
      <Card flush>
        {data === undefined ? (
          error === null ? (
            <Loading rows={10} height="2.75rem" />
          ) : (
            <ErrorState error={error} onRetry={() => void query.refetch()} />
          )
        ) : crons.length === 0 ? (
          <NoCrons
            app={app}
            filtered={filter.q !== "" || filter.state.length > 0}
            onClear={() => change({ q: "", state: [] })}
          />
        ) : (
          <CronTable
            crons={crons}
            order={filter.order}
            onOrder={(order) => change({ order })}
            selected={selected}
            onSelect={setSelected}
          />
        )}
        <More query={query} what="crons" />
      </Card>
      <BulkBar
        crons={crons.filter(({ cron }) => selected.has(cron.id))}
        onDone={() => setSelected(new Set())}
      />
    </Page>
  );
}
