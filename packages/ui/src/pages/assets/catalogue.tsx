/** Assets as a list that is searched, sorted and saved. */
import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo } from "react";
import type { AssetSummary } from "@millrace/protocol";
import { Code } from "../../parts/code.tsx";
import { Download } from "../../parts/download.tsx";
import { firstAsset } from "../../parts/first-code.ts";
import { LongList } from "../../parts/long-list.tsx";
import { useNow } from "../../parts/now.ts";
import { numberText } from "../../parts/number-text.ts";
import type { Column } from "../../parts/table.tsx";
import { Ago } from "../../parts/time.tsx";
import { durationText } from "../../parts/time-text.ts";
import { AssetLinks } from "../asset/asset-links.tsx";
import { AssetMark } from "../asset/asset-mark.tsx";
import { assetsCsv } from "./assets-csv.ts";
import { chosen, orderOf, orders } from "./choose.ts";

const route = getRouteApi("/assets");

/** Where only the newest partitions were looked at, there may be more. */
function ofNewest(count: number, { newestOnly }: NonNullable<AssetSummary["partitions"]>): string {
  return newestOnly ? `${numberText(count)}+` : numberText(count);
}

const columns: readonly Column<AssetSummary>[] = [
  {
    name: "asset",
    width: "minmax(150px, 1.4fr)",
    cell: ({ name }) => (
      <Link to="/assets/$asset" params={{ asset: name }}>
        {name}
      </Link>
    ),
  },
  { name: "state", width: "116px", cell: (asset) => <AssetMark asset={asset} /> },
  {
    name: "updated",
    width: "88px",
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
  { name: "may be", width: "92px", isNumber: true, cell: (asset) => <MayBe asset={asset} /> },
  {
    name: "there",
    width: "52px",
    isNumber: true,
    cell: ({ partitions }) => (partitions ? ofNewest(partitions.present, partitions) : ""),
  },
  {
    name: "missing",
    width: "56px",
    isNumber: true,
    cell: ({ partitions }) => (partitions?.missing ? numberText(partitions.missing) : ""),
  },
  {
    name: "owner",
    width: "minmax(64px, 0.5fr)",
    cell: ({ owner }) =>
      owner !== undefined && (
        <Link to="/assets" search={(before) => ({ ...before, find: owner })}>
          {owner}
        </Link>
      ),
  },
  {
    name: "written by",
    width: "minmax(88px, 0.8fr)",
    cell: ({ writtenBy = [] }) =>
      writtenBy.map((pipeline, at) => (
        <span key={pipeline}>
          {at > 0 && ", "}
          <Link to="/pipelines/$pipeline" params={{ pipeline }}>
            {pipeline}
          </Link>
        </span>
      )),
  },
  {
    name: "made of",
    width: "minmax(84px, 1fr)",
    cell: ({ upstream }) => <AssetLinks names={upstream} />,
  },
  {
    name: "about",
    width: "minmax(64px, 1fr)",
    cell: ({ description, tags, partitions }) => {
      const text = [description, partitions?.kind, ...tags].filter(Boolean).join(" · ");
      return (
        <span className="quiet cut" title={text}>
          {text}
        </span>
      );
    },
  },
];

/** How old it may be, or by how much it is older. */
function MayBe({ asset: { freshness, lastUpdate } }: { readonly asset: AssetSummary }) {
  const now = useNow();
  if (!freshness) return null;
  const { maxAgeMs, state } = freshness;
  if (state === "stale" && lastUpdate)
    return (
      <span className="warn-text" title={`It may be ${durationText(maxAgeMs)} old.`}>
        {durationText(now - Date.parse(lastUpdate.at) - maxAgeMs)} late
      </span>
    );
  return <span className="quiet">{durationText(maxAgeMs)} old</span>;
}

export function Catalogue({ query }: { readonly query: UseInfiniteQueryResult<AssetSummary[]> }) {
  const { find, show, sort } = route.useSearch();
  const navigate = route.useNavigate();
  const { data } = query;
  const order = orderOf(sort);
  const shown = useMemo(
    () => data && chosen(data, { find, isTroubleOnly: show !== undefined, order }),
    [data, find, show, order],
  );
  return (
    <>
      <div className="filters">
        <input
          className="field"
          type="search"
          data-filter
          aria-label="name, owner, pipeline or tag"
          placeholder="name, owner, pipeline, tag  /"
          size={28}
          value={find ?? ""}
          onChange={({ target: { value } }) =>
            void navigate({
              search: ({ find: _find, ...rest }) => (value === "" ? rest : { ...rest, find: value }),
              replace: true,
            })
          }
        />
        <select
          className="field"
          aria-label="in which order"
          value={order}
          onChange={({ target: { value } }) =>
            void navigate({
              search: ({ sort: _sort, ...rest }) => (value === "name" ? rest : { ...rest, sort: value }),
              replace: true,
            })
          }
        >
          {Object.entries(orders).map(([name, text]) => (
            <option key={name} value={name}>
              {text}
            </option>
          ))}
        </select>
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
        <span className="gap" />
        {shown && shown.length > 0 && (
          <>
            <span className="quiet">{shown.length === data?.length ? "" : `${shown.length} of them`}</span>
            <Download name="assets.csv" type="text/csv" text={() => assetsCsv(shown)}>
              as CSV
            </Download>
          </>
        )}
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
            <p>
              {show === undefined
                ? "No asset is like that."
                : "None of them is late, and nothing is missing."}
            </p>
          )
        }
      />
    </>
  );
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
