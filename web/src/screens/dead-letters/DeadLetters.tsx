import { useInfiniteQuery } from "@tanstack/react-query";
import type { DeadLetter } from "carillon/client";
import { useState } from "react";
import { useJobApps, type JobApps } from "../../jobs/apps.js";
import { NoApps } from "../../jobs/NoApps.js";
import { useHold, useLiveOptions } from "../../live/live.js";
import { Button } from "../../parts/Button.js";
import { SelectionBar } from "../../parts/SelectionBar.js";
import { Card, Page } from "../../parts/Page.js";
import { EmptyState, ErrorState, Loadable, Loading } from "../../parts/States.js";
import { More } from "../../parts/Table.js";
import { useGrants } from "../../session/session.js";
import { count, counted } from "../../time/format.js";
import { askToDelete, askToRedrive } from "./actions.js";
import { groupsOf } from "./groups.js";
import { GroupTable } from "./GroupTable.js";
import styles from "./dead-letters.module.css";
import { lettersQuery } from "./queries.js";

/** Jobs that were delivered in vain too often, by what they died of. */
export function DeadLetters() {
  const apps = useJobApps();
  return (
    <Page
      title="Dead letters"
      lead={
        <p>
          A job lands here when worker after worker has fallen silent over it. Mend the cause, then
          redrive one, and the rest when that went well.
        </p>
      }
    >
      <Loadable query={apps}>
        {(found) =>
          found.readable.length === 0 ? <NoApps chosen={found.chosen} /> : <List apps={found} />
        }
      </Loadable>
    </Page>
  );
}

/** As far as the API counts. */
const MOST = 10_000;

function List({ apps }: { apps: JobApps }) {
  const [selected, setSelected] = useState<ReadonlyMap<number, DeadLetter>>(new Map());
  useHold(selected.size === 0 ? undefined : `${counted(selected.size, "letter")} selected`);
  const query = useInfiniteQuery({ ...lettersQuery(apps.readable), ...useLiveOptions(5000) });
  const { data, error } = query;
  const letters = data?.pages.flatMap(({ items }) => items) ?? [];
  const counts = data?.pages[0]?.counts ?? {};
  const total = Object.values(counts).reduce((sum, one) => sum + one, 0);
  const capped = Object.values(counts).some((one) => one >= MOST);
  return (
    <>
      {letters.length > 0 && (
        <Totals apps={apps} total={total} shown={letters.length} capped={capped} counts={counts} />
      )}
      <Card flush>
        {data === undefined ? (
          error === null ? (
            <Loading rows={6} height="2.75rem" />
          ) : (
            <ErrorState error={error} onRetry={() => void query.refetch()} />
          )
        ) : letters.length === 0 && !query.hasNextPage ? (
          <EmptyState title="No dead letters" good>
            A job lands here after five deliveries whose workers all stopped answering. What a
            handler throws does not: such jobs are among those that failed.
          </EmptyState>
        ) : (
          <GroupTable groups={groupsOf(letters)} selected={selected} onSelect={setSelected} />
        )}
        <More query={query} what="letters" />
      </Card>
      <BulkBar letters={[...selected.values()]} onDone={() => setSelected(new Map())} />
    </>
  );
}

interface TotalsProps {
  apps: JobApps;
  total: number;
  shown: number;
  capped: boolean;
  counts: Readonly<Record<string, number>>;
}

function Totals({ apps, total, shown, capped, counts }: TotalsProps) {
  const may = useGrants();
  const [only] = Object.keys(counts);
  const mine =
    apps.readable.length === 1 && only !== undefined && may(`app:${only}:job.write`)
      ? { appId: only, all: true as const, letters: counts[only] ?? 0, capped }
      : undefined;
  return (
    <div className={styles.totals}>
      <span className="num" role="status">
        {counted(total, "dead letter")}
        {capped && " and more"}
        {shown < total && `, the newest ${count(shown)} of them below`}
      </span>
      <span className={styles.gap} />
      {mine && (
        <>
          <Button small onClick={() => askToRedrive(mine, () => undefined)}>
            Redrive all of {mine.appId}…
          </Button>
          <Button small onClick={() => askToDelete(mine, () => undefined)}>
            Delete all of {mine.appId}…
          </Button>
        </>
      )}
    </div>
  );
}

function BulkBar({ letters, onDone }: { letters: readonly DeadLetter[]; onDone: () => void }) {
  const may = useGrants();
  if (letters.length === 0) return null;
  const mine = letters.filter(({ appId }) => may(`app:${appId}:job.write`));
  return (
    <SelectionBar of="letter" count={letters.length} onClear={onDone}>
      {mine.length === 0 ? (
        <span className="muted">You may only look at them: job.write is missing.</span>
      ) : (
        <>
          <Button small onClick={() => askToRedrive({ letters: mine }, onDone)}>
            Redrive {counted(mine.length, "letter")}…
          </Button>
          <Button small onClick={() => askToDelete({ letters: mine }, onDone)}>
            Delete {counted(mine.length, "letter")}…
          </Button>
        </>
      )}
    </SelectionBar>
  );
}
