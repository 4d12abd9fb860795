import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { NewCronLink } from "../../crons/NewCronLink.js";
import { cronsQuery, everyCron } from "../../crons/queries.js";
import { useHold, useLiveOptions } from "../../live/live.js";
import { Card, Page } from "../../parts/Page.js";
import { ErrorState, Loading } from "../../parts/States.js";
import { More } from "../../parts/Table.js";
import { count, counted } from "../../time/format.js";
import { appSearch } from "../../url/app-search.js";
import { useSearchState } from "../../url/use-search-state.js";
import { BulkBar, type Matching } from "./BulkBar.js";
import { CronTable } from "./CronTable.js";
import { Filters, isNarrow, WIDE } from "./Filters.js";
import { NoCrons } from "./NoCrons.js";
import { cronsSearch } from "./search.js";
import { useReadOn } from "./use-read-on.js";

/** Beyond so many pages, to ask for all of them again and again would be too much. */
const LIVE_PAGES = 4;

/** Every cron one may see: what needs somebody first, then what fires next. */
export function Crons() {
  const [{ app }] = useSearchState(appSearch);
  const [filter, change] = useSearchState(cronsSearch);
  const { order, ...narrowed } = filter;
  const meant = { app, ...narrowed };
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  // All that match are selected as long as the same match.
  const [allOf, setAllOf] = useState("");
  const query = useInfiniteQuery({ ...cronsQuery({ app, ...filter }), ...useLiveOptions(5000) });
  const { data, error } = query;
  const crons = data?.pages.flatMap(({ items }) => items) ?? [];
  const total = data?.pages[0]?.count;
  const all = allOf === JSON.stringify(meant);
  const selected = all ? new Set(crons.map(({ cron }) => cron.id)) : ticked;
  useHold(
    all
      ? "all that match are selected"
      : selected.size > 0
        ? `${counted(selected.size, "row")} selected`
        : (data?.pages.length ?? 0) > LIVE_PAGES
          ? `${count(crons.length)} rows are open`
          : undefined,
  );
  const end = useReadOn(query);
  const select = (next: ReadonlySet<string>) => {
    setAllOf("");
    setTicked(next);
  };
  const matching: Matching | undefined =
    total === undefined || total.count <= crons.length
      ? undefined
      : { count: total, read: (signal) => pagesOf(meant, signal) };
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
          <NoCrons app={app} filtered={isNarrow(filter)} onClear={() => change(WIDE)} />
        ) : (
          <CronTable
            crons={crons}
            order={order}
            onOrder={(next) => change({ order: next })}
            selected={selected}
            onSelect={select}
          />
        )}
        <div ref={end}>
          <More query={query} what="crons" />
        </div>
      </Card>
      <BulkBar
        crons={crons.filter(({ cron }) => selected.has(cron.id))}
        more={matching}
        all={all}
        onAll={() => setAllOf(JSON.stringify(meant))}
        onDone={() => select(new Set())}
      />
    </Page>
  );
}

async function* pagesOf(meant: Parameters<typeof everyCron>[0], signal: AbortSignal) {
  for await (const { items } of everyCron(meant, signal)) yield items;
}
