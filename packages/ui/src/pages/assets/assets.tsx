/** All assets: whether each is fresh, what is missing, what it is made of and what is made of it. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { AssetSummary } from "@millrace/protocol";
import { list } from "../../api/queries.ts";
import { Code } from "../../parts/code.tsx";
import { firstAsset } from "../../parts/first-code.ts";
import { Head } from "../../parts/head.tsx";
import { LongList } from "../../parts/long-list.tsx";
import type { Column } from "../../parts/table.tsx";
import { Ago } from "../../parts/time.tsx";
import { AssetLinks } from "../asset/asset-links.tsx";
import { AssetMark, isTroubled } from "../asset/asset-mark.tsx";

const route = getRouteApi("/assets");

const columns: readonly Column<AssetSummary>[] = [
  {
    name: "asset",
    width: "minmax(180px, 1.2fr)",
    cell: ({ name }) => (
      <Link to="/assets/$asset" params={{ asset: name }}>
        {name}
      </Link>
    ),
  },
  { name: "state", width: "136px", cell: (asset) => <AssetMark asset={asset} /> },
  {
    name: "updated",
    width: "104px",
    isNumber: true,
    cell: ({ lastUpdate }) =>
      lastUpdate === undefined ? (
        <span className="quiet">never</span>
      ) : lastUpdate.runId === undefined ? (
        <Ago at={lastUpdate.at} />
      ) : (
        <Link to="/runs/$run" params={{ run: lastUpdate.runId }}>
          <Ago at={lastUpdate.at} />
        </Link>
      ),
  },
  {
    name: "there",
    width: "64px",
    isNumber: true,
    cell: ({ partitions, lastUpdate }) => (partitions ? partitions.present : lastUpdate ? "●" : ""),
  },
  {
    name: "missing",
    width: "64px",
    isNumber: true,
    cell: ({ partitions }) => (partitions?.missing ? partitions.missing : ""),
  },
  {
    name: "made of",
    width: "minmax(120px, 1fr)",
    cell: ({ upstream }) => <AssetLinks names={upstream} />,
  },
  {
    name: "goes into",
    width: "minmax(120px, 1fr)",
    cell: ({ downstream }) => <AssetLinks names={downstream} />,
  },
  {
    name: "about",
    width: "minmax(120px, 1.2fr)",
    cell: ({ description, owner, tags, partitions }) => (
      <span className="quiet">
        {[description, partitions?.kind, owner, ...tags].filter(Boolean).join(" · ")}
      </span>
    ),
  },
];

export function Assets() {
  const { find, show } = route.useSearch();
  const navigate = route.useNavigate();
  const query = useInfiniteQuery(list<AssetSummary>("assets", "/assets"));
  const { data, hasNextPage } = query;
  const shown = data?.filter(
    (asset) =>
      (find === undefined || [asset.name, asset.owner, ...asset.tags].some((text) => text?.includes(find))) &&
      (show === undefined || isTroubled(asset)),
  );
  return (
    <div className="page fills">
      <Head title="Assets" name="Assets">
        {data && data.length > 0 ? sentence(data, hasNextPage) : ""}
      </Head>
      <div className="filters">
        <input
          className="field"
          type="search"
          data-filter
          aria-label="name, owner or tag"
          placeholder="name, owner, tag  /"
          value={find ?? ""}
          onChange={({ target: { value } }) =>
            void navigate({
              search: ({ find: _find, ...rest }) => (value === "" ? rest : { ...rest, find: value }),
              replace: true,
            })
          }
        />
        <label className="inline">
          <input
            type="checkbox"
            checked={show !== undefined}
            onChange={({ target }) =>
              void navigate({
                search: ({ show: _show, ...rest }) => (target.checked ? { ...rest, show: "trouble" } : rest),
                replace: true,
              })
            }
          />
          only what is late or missing
        </label>
      </div>
      <LongList
        query={query}
        label="Assets"
        rows={shown}
        columns={columns}
        keyOf={({ name }) => name}
        empty={
          data?.length === 0 ? (
            <NoAssets />
          ) : (
            <p>{show === undefined ? "No asset is like that." : "None is late, and nothing is missing."}</p>
          )
        }
      />
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
  const count = `${assets.length}${isMore ? " and more" : ""}`;
  return parts.length === 0
    ? `${count}; none is late, and nothing is missing.`
    : `${count}; ${parts.join(", ")}.`;
}

function NoAssets() {
  return (
    <>
      <p>
        Here stand the pieces of data that your pipelines read and write: tables, files, topics. Declare one
        and say who writes it:
      </p>
      <Code text={firstAsset} />
    </>
  );
}
