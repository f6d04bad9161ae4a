/** All assets: whether each is fresh, what is missing, who writes it; or as a graph with what leads into them. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import type { AssetSummary } from "@millrace/protocol";
import { list } from "../../api/queries.ts";
import { Head } from "../../parts/head.tsx";
import { Tabs } from "../../parts/tabs.tsx";
import { Catalogue } from "./catalogue.tsx";
import { LineageTab } from "./lineage-tab.tsx";

const route = getRouteApi("/assets");
const pageSize = 500;
/** What is looked through and sorted here: beyond, there are lists by the API. */
const assetsMax = 5_000;

export function Assets() {
  const { view } = route.useSearch();
  // All of them are many: they are asked for again as what sums up the whole is, not with each update.
  const query = useInfiniteQuery(list("overview", "/assets", { limit: pageSize }));
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const count = data?.length ?? 0;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && count < assetsMax) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, count, fetchNextPage]);
  const names = useMemo(() => data?.map(({ name }) => name) ?? [], [data]);
  const tab = view === "graph" ? "graph" : "list";
  return (
    <div className="page fills">
      <Head title="Assets" name="Assets">
        {data && data.length > 0 ? sentence(data, hasNextPage) : ""}
      </Head>
      <Tabs
        label="Assets as"
        tab={tab}
        tabs={[
          { id: "list", name: "Catalogue" },
          { id: "graph", name: "Graph" },
        ]}
        to={(id) => ({
          to: "/assets",
          search: id === "graph" ? { view: id } : {},
          activeOptions: { exact: true },
        })}
      />
      {tab === "graph" ? <LineageTab names={names} /> : <Catalogue query={query} />}
    </div>
  );
}

function sentence(assets: readonly AssetSummary[], isMore: boolean): string {
  const late = assets.filter(({ freshness }) => freshness?.state === "stale").length;
  const never = assets.filter(({ freshness }) => freshness?.state === "never").length;
  const missing = assets.filter(({ partitions }) => partitions?.missing).length;
  const rejected = assets.filter((asset) => asset.rejected).length;
  const parts = [
    late === 0 ? "" : `${late} ${late === 1 ? "is" : "are"} late`,
    never === 0 ? "" : `${never} that should be fresh ${never === 1 ? "was" : "were"} never updated`,
    missing === 0 ? "" : `${missing} ${missing === 1 ? "has" : "have"} missing partitions`,
    rejected === 0 ? "" : `${rejected} had updates that did not fit`,
  ].filter((part) => part !== "");
  const count = `${assets.length}${isMore ? " and more" : ""} ${assets.length === 1 && !isMore ? "asset" : "assets"}`;
  return parts.length === 0
    ? `${count}; none is late, and nothing is missing.`
    : `${count}; ${parts.join(", ")}.`;
}
