/** All that a trigger fired, newest first. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useCallback } from "react";
import type { FiringView } from "@millrace/protocol";
import { list } from "../../api/queries.ts";
import { Table, type Column } from "../../parts/table.tsx";
import { Clock } from "../../parts/time.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { FiringOutcome } from "./firings.tsx";

const route = getRouteApi("/triggers/$pipeline");

const columns: readonly Column<FiringView>[] = [
  { name: "fired", width: "148px", cell: ({ at }) => <Clock at={at} /> },
  {
    name: "key",
    width: "minmax(100px, 1fr)",
    cell: ({ key, pipeline }) =>
      key === undefined ? null : (
        <Link to="/triggers/$pipeline" params={{ pipeline }} search={{ key }}>
          {key}
        </Link>
      ),
  },
  {
    name: "partition",
    width: "minmax(100px, 1fr)",
    cell: ({ partition, revision, incomplete }) => (
      <>
        {partition} {revision > 1 && <span className="quiet">revision {revision}</span>}{" "}
        {incomplete && <span className="warn-text">incomplete</span>}
      </>
    ),
  },
  { name: "members", width: "72px", isNumber: true, cell: ({ memberCount }) => memberCount },
  {
    name: "after entry",
    width: "96px",
    isNumber: true,
    cell: ({ position }) =>
      position === 0 ? null : (
        <Link to="/events" search={{ event: String(position) }}>
          {position}
        </Link>
      ),
  },
  {
    name: "what came of it",
    width: "minmax(240px, 2fr)",
    cell: (firing) => <FiringOutcome firing={firing} />,
  },
];

export function AllFirings({ pipeline }: { readonly pipeline: string }) {
  const { key } = route.useSearch();
  const { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } =
    useInfiniteQuery(list("triggers", `/triggers/${encodeURIComponent(pipeline)}/firings`, { key }));
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  if (error) return <Trouble error={error} onRetry={() => void refetch()} />;
  if (isPending) return <p className="quiet">Reading…</p>;
  return (
    <>
      {key !== undefined && (
        <p>
          Those of the key {key}.{" "}
          <Link to="/triggers/$pipeline" params={{ pipeline }} search={{ tab: "firings" }}>
            all of them
          </Link>
        </p>
      )}
      <Table
        label="Firings"
        rows={data}
        columns={columns}
        keyOf={({ id }) => id}
        onEnd={onEnd}
        empty={<p>It has not fired{key === undefined ? "" : " for this key"}.</p>}
      />
    </>
  );
}
