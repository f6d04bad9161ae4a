/** A list that comes in pages: that it is read, or was refused, is told in its place; the next page comes as its end comes near. */
import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import { useCallback } from "react";
import { Table, type TableProps } from "./table.tsx";
import { Trouble } from "./trouble.tsx";

interface LongListProps<Row> extends Omit<TableProps<Row>, "rows" | "onEnd"> {
  readonly query: UseInfiniteQueryResult<Row[]>;
  /** Those that are shown; all that were read, when absent. */
  readonly rows?: readonly Row[] | undefined;
}

export function LongList<Row>({ query, rows, ...table }: LongListProps<Row>) {
  const { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = query;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  if (error) return <Trouble error={error} onRetry={() => void refetch()} />;
  if (isPending) return <p className="quiet">Reading…</p>;
  return <Table {...table} rows={rows ?? data} onEnd={onEnd} />;
}
