import type { ReactNode } from "react";
import { Card } from "../../parts/Page.js";
import { ErrorState, Loading } from "../../parts/States.js";
import { More, Table } from "../../parts/Table.js";

interface ListProps<T> {
  query: {
    data: { pages: { items: T[] }[] } | undefined;
    error: Error | null;
    refetch: () => unknown;
    hasNextPage: boolean;
    isFetchingNextPage: boolean;
    fetchNextPage: () => unknown;
  };
  what: string;
  head: ReactNode;
  row: (item: T) => ReactNode;
  empty: ReactNode;
}

/** A list in all of its states. */
export function List<T>({ query, what, head, row, empty }: ListProps<T>) {
  const items = query.data?.pages.flatMap((page) => page.items);
  return (
    <Card flush>
      {items === undefined ? (
        query.error === null ? (
          <Loading />
        ) : (
          <ErrorState error={query.error} onRetry={() => void query.refetch()} />
        )
      ) : items.length === 0 ? (
        empty
      ) : (
        <Table caption={what} head={head} least="46rem" cards>
          {items.map(row)}
        </Table>
      )}
      <More query={query} what={what.toLowerCase()} />
    </Card>
  );
}
